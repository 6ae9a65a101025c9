import Logging
import Synchronization

/// Keeps what is logged.
final class RecordedLog: Sendable {
  private let lines = Mutex<[String]>([])

  /// Takes messages of all levels.
  var logger: Logger {
    var logger = Logger(label: "redis") { _ in Handler(log: self) }
    logger.logLevel = .trace
    return logger
  }

  /// Level, message and metadata, a line each.
  var text: String { lines.withLock { $0.joined(separator: "\n") } }

  func count(where condition: (String) -> Bool) -> Int {
    lines.withLock { $0.count(where: condition) }
  }

  private struct Handler: LogHandler {
    let log: RecordedLog
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    func log(event: LogEvent) {
      let line = "\(event.level): \(event.message) \(event.metadata ?? [:])"
      log.lines.withLock { $0.append(line) }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }
  }
}
