import Executors
import Synchronization
import Testing

/// Runs tests that compute for long on a few threads of their own.
///
/// Tests run all at once on Swift's shared pool, which has one thread a core. One that computes for
/// seconds would hold up all that wait for a server there, beyond their time limits.
public struct ComputingTrait: SuiteTrait, TestTrait, TestScoping {
  private static let executors = (1...2).map { ThreadExecutor(label: "computing tests \($0)") }
  private static let next = Atomic(0)

  public var isRecursive: Bool { true }

  public func provideScope(
    for test: Test, testCase: Test.Case?,
    performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    // Once for each case of a test, not for its suite.
    guard testCase != nil else { return try await function() }
    let number = Self.next.wrappingAdd(1, ordering: .relaxed).oldValue
    try await withTaskExecutorPreference(Self.executors[number % Self.executors.count]) {
      try await function()
    }
  }
}

extension Trait where Self == ComputingTrait {
  /// For suites and tests that keep a processor busy rather than wait.
  public static var computing: Self { Self() }
}
