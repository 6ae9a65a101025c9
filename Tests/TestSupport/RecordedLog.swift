import Logging
import Synchronization

/// Keeps what is logged.
public final class RecordedLog: Sendable {
  private let lines = Mutex<[String]>([])

  public init() {}

  /// Takes messages of all levels.
  public var logger: Logger {
    var logger = Logger(label: "test") { _ in Handler(log: self) }
    logger.logLevel = .trace
    return logger
  }

  /// Level, message and metadata, a line each.
  public var text: String { lines.withLock { $0.joined(separator: "\n") } }

  public func count(where condition: (String) -> Bool) -> Int {
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
