import Synchronization

/// Retries a whole process may make: a few at any time, then a share of what succeeds. Keeps clients
/// of an overloaded server from multiplying its load.
public final class RetryBudget: Sendable {
  private let capacity: Double
  private let gain: Double
  private let tokens: Mutex<Double>

  /// - Parameters:
  ///   - capacity: retries at start and at most.
  ///   - gain: retries earned by each success.
  public init(capacity: Double = 10, gain: Double = 0.1) {
    self.capacity = capacity
    self.gain = gain
    tokens = Mutex(capacity)
  }

  /// Takes one retry; false if none is left.
  public func take() -> Bool {
    tokens.withLock { tokens in
      // Tenths do not add up to one exactly.
      guard tokens > 0.999 else { return false }
      tokens = max(0, tokens - 1)
      return true
    }
  }

  public func succeeded() {
    tokens.withLock { $0 = min(capacity, $0 + gain) }
  }
}
