import CurlClient
import Logging
import Retrying
import Synchronization
import TestSupport
import Testing

@testable import Buckets

@Suite struct StoreOperationTests {
  private let clock = JumpingClock()
  private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  private func operation(_ change: (inout TransferSettings) -> Void = { _ in }) -> StoreOperation {
    var settings = TransferSettings()
    change(&settings)
    return StoreOperation(key: nil, settings: settings, clock: AnyClock(clock), logger: logger)
  }

  private func failure(_ retry: FailedTry.Retry) -> FailedTry {
    FailedTry(BucketError(.server, "it failed", isRetryable: true), retry)
  }

  @Test func `what fails for a while is repeated until it goes well`() async throws {
    let tries = Mutex(0)
    let value = try await operation().retrying {
      if tries.withLock({
        $0 += 1
        return $0
      }) < 7 {
        throw failure(.later(atLeast: nil))
      }
      return 42
    }
    #expect(value == 42)
    #expect(clock.sleeps.count == 6)
    #expect(clock.sleeps.prefix(4).allSatisfy { $0 <= .milliseconds(800) })
    #expect(clock.sleeps[4] > .seconds(1) && clock.sleeps[4] <= .seconds(2))
  }

  @Test func `what keeps failing ends with its last failure and what was tried`() async throws {
    let error = await #expect(throws: BucketError.self) {
      try await operation { $0.retryDeadline = .seconds(100) }.retrying {
        throw failure(.later(atLeast: nil))
      }
    }
    let slept = clock.sleeps.reduce(.zero, +)
    #expect(slept <= .seconds(100) && slept > .seconds(30))
    #expect(error?.tries == clock.sleeps.count + 1)
    #expect(error?.elapsed == slept)
    #expect(error?.description.contains("tries in") == true)
  }

  @Test func `what is final is not repeated`() async throws {
    let error = await #expect(throws: BucketError.self) {
      try await operation().retrying { throw failure(.never) }
    }
    #expect(error?.tries == 1)
    #expect(clock.sleeps.isEmpty)
  }

  @Test func `a remedy is tried at once and one time`() async throws {
    let tries = Mutex(0)
    await #expect(throws: BucketError.self) {
      try await operation().retrying {
        let number = tries.withLock {
          $0 += 1
          return $0
        }
        throw failure(.once(number == 1 ? .clock : .credential))
      }
    }
    #expect(tries.withLock { $0 } == 3)
    #expect(clock.sleeps.isEmpty)
  }

  @Test func `a server's wish for a pause counts up to the longest pause`() async throws {
    let tries = Mutex(0)
    try await operation { $0.maximumBackoff = .seconds(20) }.retrying {
      switch tries.withLock({
        $0 += 1
        return $0
      }) {
      case 1: throw failure(.later(atLeast: .seconds(7)))
      case 2: throw failure(.later(atLeast: .seconds(7000)))
      default: return
      }
    }
    #expect(clock.sleeps == [.seconds(7), .seconds(20)])
  }

  @Test func `a wait ends at once when the task is cancelled`() async throws {
    let operation = StoreOperation(key: nil, settings: TransferSettings(), logger: logger)
    let task = Task {
      try await operation.run {
        try await operation.retrying { throw failure(.later(atLeast: .seconds(50))) }
      }
    }
    try await Task.sleep(for: .milliseconds(20))
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test func `progress is told while nothing moves, and no more at the end`() async throws {
    let told = Mutex(0)
    let operation = StoreOperation(key: nil, settings: TransferSettings(), logger: logger) { _ in
      told.withLock { $0 += 1 }
    }
    try await operation.run {
      try await eventually("progress is told") { told.withLock { $0 } > 0 }
    }
    let count = told.withLock { $0 }
    operation.tellProgress()
    #expect(told.withLock { $0 } == count)
  }

  @Test func `an HTTP failure is told with the server, and repeated if it may be`() async throws {
    let error = await #expect(throws: BucketError.self) {
      try await operation { $0.retryDeadline = .seconds(1) }.retrying {
        throw HTTPError(.timedOut, server: "https://store:443", reason: "no byte for 60 s")
      }
    }
    #expect(error?.code == .timeout)
    #expect(error?.answer?.server == "https://store:443")
    #expect(clock.sleeps.isEmpty == false)
  }
}
