import Synchronization
import TestSupport

/// When a primary was replaced, on purpose or because a busy machine made it look dead: what it had
/// accepted last may be gone.
///
/// Replication is asynchronous, so an end that was written and told to a callback just before can
/// be lost with the primary. The job then runs again and may end differently, and its receiver
/// hears of both ends. Nothing else may be told twice with different words.
final class Losses: Sendable {
  private let intervals = Mutex<[ClosedRange<ContinuousClock.Instant>]>([])
  private let open = Mutex<ContinuousClock.Instant?>(nil)

  /// How much the replicas may lag behind while all is well.
  private static let lag: Duration = .seconds(2)
  /// How long a worker that was frozen with a callback in hand may send it later.
  private static let delay: Duration = .seconds(10)

  func begin() { open.withLock { $0 = .now } }

  func end() {
    if let start = open.withLock({ $0 }) { add(from: start) }
    open.withLock { $0 = nil }
  }

  private func add(from start: ContinuousClock.Instant) {
    intervals.withLock { $0.append((start - Self.lag)...(.now + Self.delay)) }
  }

  /// Whether what happened at a time may have been lost.
  func mayHaveLost(_ time: ContinuousClock.Instant) -> Bool {
    let isOpen = open.withLock { $0.map { time >= $0 - Self.lag } ?? false }
    return isOpen || intervals.withLock { $0.contains { $0.contains(time) } }
  }

  /// Whether nothing can have been lost.
  var areImpossible: Bool {
    open.withLock { $0 == nil } && intervals.withLock { $0.isEmpty }
  }

  /// Watches which server is the primary, until it is cancelled.
  func watch(_ cluster: RedisCluster, _ tally: Tally) async {
    var last: (port: Int, time: ContinuousClock.Instant)?
    while !Task.isCancelled {
      let time = ContinuousClock.now
      if let port = try? await cluster.primary().port {
        if let last, last.port != port {
          tally.add("changes of the primary")
          add(from: last.time)
        }
        last = (port, time)
      }
      try? await Task.sleep(for: .milliseconds(500))
    }
  }
}
