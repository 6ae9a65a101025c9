/// Pauses between attempts: none first, then random ones whose upper bound doubles up to a limit.
struct Backoff {
  private static let base = Duration.milliseconds(50)

  private let limit: Duration
  private var attempt = 0

  init(limit: Duration) {
    self.limit = limit
  }

  mutating func reset() { attempt = 0 }

  /// - Parameter cap: a limit for this pause, if it is lower.
  mutating func next(atMost cap: Duration? = nil) -> Duration {
    defer { attempt += 1 }
    guard attempt > 0 else { return .zero }
    // Half of it is random, so that many clients do not come back at the same moment.
    let bound = min(Self.base * (1 << min(attempt - 1, 20)), limit, cap ?? limit)
    return bound * Double.random(in: 0.5...1)
  }
}
