import Testing

/// Gives each run of a test a ``RedisCluster``.
public struct RedisClusterTrait: TestTrait, TestScoping {
  let settings: RedisCluster.Settings

  public func provideScope(
    for test: Test, testCase: Test.Case?,
    performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    try await ProcessPermits.shared.with {
      let cluster = try await RedisCluster.start(settings)
      let outcome: Result<Void, any Error>
      do {
        try await RedisCluster.$current.withValue(cluster) { try await function() }
        outcome = .success(())
      } catch {
        outcome = .failure(error)
      }
      try await cluster.stop()
      try outcome.get()
    }
  }
}

extension Trait where Self == RedisClusterTrait {
  /// One primary, two replicas and three Sentinels.
  public static var redisCluster: Self { redisCluster() }

  public static func redisCluster(
    _ change: (inout RedisCluster.Settings) -> Void = { _ in }
  ) -> Self {
    var settings = RedisCluster.Settings()
    change(&settings)
    return Self(settings: settings)
  }
}
