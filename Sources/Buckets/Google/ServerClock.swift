import CurlClient
import Synchronization

/// What the store's responses tell of its clock, by which tokens and signatures are judged.
final class ServerClock: Sendable {
  private let now: @Sendable () -> Int
  private let latest = Mutex<Int?>(nil)

  /// - Parameter now: seconds since 1970 by this machine.
  init(now: @escaping @Sendable () -> Int) { self.now = now }

  func note(_ head: HTTPHead) {
    guard let date = head["date"], let time = RetryAfter.seconds(date: date) else { return }
    let offset = time - now()
    latest.withLock { $0 = offset }
  }

  /// Seconds that the store is ahead; nil before its first response.
  var offset: Int? { latest.withLock { $0 } }
}
