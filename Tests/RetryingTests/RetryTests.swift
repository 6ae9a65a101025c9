import Retrying
import TestSupport
import Testing

private struct Trouble: RetryableError, Equatable {
  var isRetryable = true
  var kind = "trouble"
}

@Suite struct RetryTests {
  let clock = JumpingClock()

  @Test func `success needs no pause`() async throws {
    let policy = RetryPolicy(base: .seconds(1), cap: .seconds(30))
    let result = try await retry(policy: policy, clock: AnyClock(clock)) { 7 }
    #expect(result == 7)
    #expect(clock.sleeps.isEmpty)
  }

  @Test func `pauses double up to the cap`() async throws {
    let policy = RetryPolicy(
      base: .seconds(1), cap: .seconds(10), jitter: .none, maximumRetries: 6)
    await #expect(throws: Trouble()) {
      try await retry(policy: policy, clock: AnyClock(clock)) { throw Trouble() }
    }
    #expect(clock.sleeps == [1, 2, 4, 8, 10, 10].map { Duration.seconds($0) })
  }

  @Test(arguments: 1..<40) func `jitter stays within its bounds`(number: Int) {
    var policy = RetryPolicy(base: .seconds(1), cap: .seconds(30), jitter: .none)
    let whole = policy.delay(beforeRetry: number)
    #expect(whole <= .seconds(30))
    policy.jitter = .full
    #expect(policy.delay(beforeRetry: number, fraction: 0) == .zero)
    #expect(policy.delay(beforeRetry: number, fraction: 1) == whole)
    policy.jitter = .equal
    #expect(policy.delay(beforeRetry: number, fraction: 0) == whole * 0.5)
    #expect((whole * 0.5...whole).contains(policy.delay(beforeRetry: number)))
  }

  @Test func `an error that is not retryable is thrown at once`() async {
    let policy = RetryPolicy(base: .seconds(1), cap: .seconds(1))
    await #expect(throws: Trouble(isRetryable: false)) {
      try await retry(policy: policy, clock: AnyClock(clock)) { throw Trouble(isRetryable: false) }
    }
    #expect(clock.sleeps.isEmpty)
  }

  @Test func `the last try is at the time limit`() async {
    let policy = RetryPolicy(
      base: .seconds(4), cap: .seconds(4), jitter: .none, timeLimit: .seconds(10))
    await #expect(throws: Trouble()) {
      try await retry(policy: policy, clock: AnyClock(clock)) { throw Trouble() }
    }
    #expect(clock.sleeps == [4, 4, 2].map { Duration.seconds($0) })
  }

  @Test func `a spent budget ends retries, and successes earn new ones`() async {
    let budget = RetryBudget(capacity: 2, gain: 0.1)
    let policy = RetryPolicy(base: .zero, cap: .zero, budget: budget)
    await #expect(throws: Trouble()) {
      try await retry(policy: policy, clock: AnyClock(clock)) { throw Trouble() }
    }
    #expect(clock.sleeps.count == 2)
    for _ in 0..<9 { budget.succeeded() }
    #expect(!budget.take())
    budget.succeeded()
    #expect(budget.take())
    #expect(!budget.take())
    for _ in 0..<1000 { budget.succeeded() }
    #expect(budget.take() && budget.take() && !budget.take())
  }

  @Test func `policies count apart, and waiting begins anew after another failure`() async {
    let waiting = RetryPolicy(name: "wait", base: .seconds(1), cap: .seconds(30), jitter: .none)
    let counted = RetryPolicy(
      name: "count", base: .seconds(3), cap: .seconds(30), jitter: .none, maximumRetries: 2)
    let kinds = ["wait", "wait", "count", "wait", "count", "count"]
    var calls = 0
    await #expect(throws: Trouble(kind: "count")) {
      func policy(for error: any Error) -> RetryPolicy? {
        (error as? Trouble)?.kind == "wait" ? waiting : counted
      }
      try await retry(policy: policy, clock: AnyClock(clock)) {
        calls += 1
        throw Trouble(kind: kinds[calls - 1])
      }
    }
    #expect(calls == kinds.count)
    #expect(clock.sleeps == [1, 2, 3, 1, 6].map { Duration.seconds($0) })
  }

  @Test func `cancellation ends a pause`() async {
    let policy = RetryPolicy(base: .seconds(3600), cap: .seconds(3600), jitter: .none)
    let (pauses, pausing) = AsyncStream<Void>.makeStream()
    let task = Task {
      try await retry(policy: policy, onPause: { _ in pausing.yield() }) { throw Trouble() }
    }
    for await _ in pauses { break }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }
}
