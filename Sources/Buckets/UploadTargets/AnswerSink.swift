import CurlClient
import Redaction

/// Takes an answer of which only the head counts. Its body is read, to keep the connection, unless it is
/// long or takes its time.
final class AnswerSink: HTTPBodySink, @unchecked Sendable {
  // Written on the client's thread, read once the transfer has ended.
  private(set) var head: HTTPHead?
  private var count = 0
  private var start = ContinuousClock.now
  private var beginning: [UInt8] = []

  private static let limit = 64 << 10
  private static let timeLimit: Duration = .seconds(10)
  private static let beginningLimit = 4096

  func begin(_ head: HTTPHead) {
    self.head = head
    start = .now
  }

  func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
    beginning += bytes.prefix(Self.beginningLimit - beginning.count)
    count += bytes.count
    return count < Self.limit && start.duration(to: .now) < Self.timeLimit
  }

  /// What it begins with, for people who look for the reason of a refusal.
  ///
  /// - Parameter secrets: that were sent, and may come back.
  func words(hiding secrets: [Secret]) -> String {
    ServiceText.shown(String(decoding: beginning, as: UTF8.self).redacted, hiding: secrets)
  }
}
