/// Any clock, with its time as a duration since this value was made.
public struct AnyClock: Sendable {
  private let currentTime: @Sendable () -> Duration
  private let pause: @Sendable (Duration) async throws -> Void

  public init<C: Clock>(_ clock: C) where C.Duration == Duration {
    let start = clock.now
    currentTime = { start.duration(to: clock.now) }
    pause = { try await clock.sleep(for: $0) }
  }

  /// Real time, which goes on while the machine sleeps.
  public static var continuous: AnyClock { AnyClock(ContinuousClock()) }

  public var now: Duration { currentTime() }

  /// - Throws: `CancellationError` when the task is cancelled.
  public func sleep(for duration: Duration) async throws { try await pause(duration) }
}
