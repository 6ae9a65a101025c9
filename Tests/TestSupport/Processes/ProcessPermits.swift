import Testing

/// Limits how many tests run servers and other programs at a time.
///
/// Tests start all at once. Dozens of programs on a few processors are so slow that limits meant for
/// a hung one are passed.
package actor ProcessPermits {
  package static let shared = ProcessPermits(6)
  package static let transfers = ProcessPermits(3)

  private var free: Int
  private var waiters: [CheckedContinuation<Void, Never>] = []

  init(_ count: Int) { free = count }

  /// Runs `body` once there is a permit for it. Tests are not cancelled while they wait.
  package nonisolated func with<Result>(_ body: () async throws -> Result) async rethrows -> Result
  {
    await take()
    do {
      let result = try await body()
      await giveBack()
      return result
    } catch {
      await giveBack()
      throw error
    }
  }

  private func take() async {
    if free > 0 {
      free -= 1
    } else {
      await withCheckedContinuation { waiters.append($0) }
    }
  }

  private func giveBack() {
    if waiters.isEmpty {
      free += 1
    } else {
      waiters.removeFirst().resume()
    }
  }
}

/// Marks tests that run programs but no `redis-server`; those with one are counted by themselves.
public struct ProgramsTrait: SuiteTrait, TestTrait, TestScoping {
  let permits: ProcessPermits

  public var isRecursive: Bool { true }

  public func provideScope(
    for test: Test, testCase: Test.Case?,
    performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    guard testCase != nil else { return try await function() }
    try await permits.with { try await function() }
  }
}

extension Trait where Self == ProgramsTrait {
  /// For tests that start programs.
  public static var programs: Self { Self(permits: .shared) }

  /// For tests that move much to and from servers that they share.
  public static var transfers: Self { Self(permits: .transfers) }
}
