/// How often, how long and at what distance something that failed is tried again.
public struct RetryPolicy: Sendable {
  /// What chance does to a delay, so that many clients do not return at the same moment.
  public enum Jitter: Sendable {
    case none
    /// Between half the delay and all of it.
    case equal
    /// Between nothing and all of the delay.
    case full
  }

  /// Failures whose policies have the same name are counted together.
  public var name: String
  /// The delay before the first retry; each further one doubles it.
  public var base: Duration
  /// No delay is longer.
  public var cap: Duration
  public var jitter: Jitter
  /// Nil: as often as needed.
  public var maximumRetries: Int?
  /// From the first failure on; nil: as long as needed.
  public var timeLimit: Duration?
  /// What these retries share with others in the process; nil: nothing.
  public var budget: RetryBudget?

  public init(
    name: String = "retry", base: Duration, cap: Duration, jitter: Jitter = .full,
    maximumRetries: Int? = nil, timeLimit: Duration? = nil, budget: RetryBudget? = nil
  ) {
    self.name = name
    self.base = base
    self.cap = cap
    self.jitter = jitter
    self.maximumRetries = maximumRetries
    self.timeLimit = timeLimit
    self.budget = budget
  }

  /// The pause before retry `number`, counted from 1.
  ///
  /// - Parameter fraction: the chance in it, 0...1.
  public func delay(beforeRetry number: Int, fraction: Double = .random(in: 0...1)) -> Duration {
    var delay = base
    for _ in 1..<max(number, 1) where delay < cap { delay *= 2 }
    delay = min(delay, cap)
    return switch jitter {
    case .none: delay
    case .equal: delay * (0.5 + fraction / 2)
    case .full: delay * fraction
    }
  }
}
