import Logging
import Synchronization

/// Keeps what a job logs.
package final class LogLines: Sendable {
  private let lines = Mutex<[String]>([])

  /// A consumer that logs without end must not fill the memory.
  private static let limit = 10_000

  package init() {}

  package var text: String { lines.withLock { $0.joined(separator: "\n") } }

  func append(_ line: String) {
    lines.withLock { if $0.count < Self.limit { $0.append(line) } }
  }

  package var handler: any LogHandler { Handler(lines: self) }

  private struct Handler: LogHandler {
    let lines: LogLines
    var logLevel = Logger.Level.debug
    var metadata: Logger.Metadata = [:]

    init(lines: LogLines) { self.lines = lines }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let words = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      lines.append((["\(event.level): \(event.message)"] + words).joined(separator: " "))
    }
  }
}
