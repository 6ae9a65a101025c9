/// An error that knows whether the same thing may succeed later without anything being changed.
public protocol RetryableError: Error {
  var isRetryable: Bool { get }
}

/// A pause before a retry.
public struct RetryPause: Sendable {
  public let error: any Error
  public let policy: RetryPolicy
  /// Which retry under this policy follows, counted from 1.
  public let number: Int
  public let delay: Duration
  /// Since the first failure under this policy.
  public let elapsed: Duration
}

/// Does something until it succeeds, or its failures may not be retried any more.
///
/// - Parameters:
///   - policy: what applies to a failure; nil if it may not be retried.
///   - clock: measures limits and pauses.
///   - onPause: told before each pause.
///   - operation: what to do.
/// - Returns: what `operation` returned.
/// - Throws: the last failure, or `CancellationError`, which is never retried.
public func retry<Result>(
  policy: (any Error) -> RetryPolicy?, clock: AnyClock = .continuous,
  onPause: (RetryPause) async -> Void = { _ in },
  operation: () async throws -> Result
) async throws -> Result {
  var history = RetryHistory()
  while true {
    do {
      return try await operation()
    } catch {
      guard !(error is CancellationError), !Task.isCancelled, let policy = policy(error),
        let pause = history.pause(after: error, policy: policy, now: clock.now)
      else { throw error }
      await onPause(pause)
      try await clock.sleep(for: pause.delay)
    }
  }
}

/// Does something until it succeeds, retrying those ``RetryableError``s that say they may be.
public func retry<Result>(
  policy: RetryPolicy, clock: AnyClock = .continuous,
  onPause: (RetryPause) async -> Void = { _ in },
  operation: () async throws -> Result
) async throws -> Result {
  try await retry(
    policy: { ($0 as? any RetryableError)?.isRetryable == true ? policy : nil }, clock: clock,
    onPause: onPause, operation: operation)
}

/// What failed so far, per policy.
private struct RetryHistory {
  private struct Entry {
    var retries = 0
    var since: Duration
  }

  private var entries: [String: Entry] = [:]
  private var lastName: String?

  /// The pause before another try; nil when the policy's limits allow none.
  mutating func pause(after error: any Error, policy: RetryPolicy, now: Duration) -> RetryPause? {
    // Waiting without a count begins anew once something else has happened in between.
    if lastName != policy.name, policy.maximumRetries == nil { entries[policy.name] = nil }
    lastName = policy.name

    var entry = entries[policy.name] ?? Entry(since: now)
    let elapsed = now - entry.since
    if let maximum = policy.maximumRetries, entry.retries >= maximum { return nil }
    if let limit = policy.timeLimit, elapsed >= limit { return nil }
    if let budget = policy.budget, !budget.take() { return nil }
    entry.retries += 1
    entries[policy.name] = entry

    var delay = policy.delay(beforeRetry: entry.retries)
    if let limit = policy.timeLimit { delay = min(delay, limit - elapsed) }
    return RetryPause(
      error: error, policy: policy, number: entry.retries, delay: delay, elapsed: elapsed)
  }
}
