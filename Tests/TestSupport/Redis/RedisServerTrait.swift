import RedisClient
import Testing

/// Gives each run of a test a ``RedisServer`` and a client connected to it.
public struct RedisServerTrait: TestTrait, TestScoping {
  let options: [RedisServer.Option]

  public func provideScope(
    for test: Test, testCase: Test.Case?,
    performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    try await ProcessPermits.shared.with { try await run(function) }
  }

  private func run(_ function: @concurrent @Sendable () async throws -> Void) async throws {
    let server = try await RedisServer.start(options)
    let outcome: Result<Void, any Error>
    do {
      try await RedisServer.$current.withValue(server) {
        if connects {
          try await RedisClient.withClient(server.configuration) { client in
            try await RedisServer.$connection.withValue(client) { try await function() }
          }
        } else {
          try await function()
        }
      }
      outcome = .success(())
    } catch {
      outcome = .failure(error)
    }
    try await server.stop()
    try outcome.get()
  }

  private var connects: Bool {
    !options.contains { if case .noConnection = $0 { true } else { false } }
  }
}

extension Trait where Self == RedisServerTrait {
  /// A plain server.
  public static var redisServer: Self { Self(options: []) }

  /// A server with a password, TLS or other settings.
  public static func redisServer(_ options: RedisServer.Option...) -> Self {
    Self(options: options)
  }
}
