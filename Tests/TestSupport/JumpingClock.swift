import Synchronization

/// A clock on which a sleep takes no time but moves the time on; remembers every sleep.
public final class JumpingClock: Clock, Sendable {
  public struct Instant: InstantProtocol {
    public var offset: Duration
    public func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
    public func duration(to other: Instant) -> Duration { other.offset - offset }
    public static func < (a: Instant, b: Instant) -> Bool { a.offset < b.offset }
  }

  private let state = Mutex((now: Duration.zero, sleeps: [Duration]()))

  public var now: Instant { Instant(offset: state.withLock { $0.now }) }
  public var minimumResolution: Duration { .nanoseconds(1) }
  public var sleeps: [Duration] { state.withLock { $0.sleeps } }

  public init() {}

  public func advance(by duration: Duration) { state.withLock { $0.now += duration } }

  public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    try Task.checkCancellation()
    state.withLock { state in
      state.sleeps.append(deadline.offset - state.now)
      state.now = max(state.now, deadline.offset)
    }
    await Task.yield()
  }
}
