/// Finds the server to send commands to.
public protocol RedisEndpointProvider: Sendable {
  /// The primary's address as far as it can be known now. Called before each attempt to connect, so
  /// that a failover is followed.
  ///
  /// - Parameter attempt: counts from 0 for each connection that is wanted.
  func primary(attempt: Int) async throws -> RedisEndpoint
}

/// Servers that are used as they are named: the first, and after a failure the next.
struct NamedEndpoints: RedisEndpointProvider {
  let endpoints: [RedisEndpoint]

  func primary(attempt: Int) async throws -> RedisEndpoint {
    guard !endpoints.isEmpty else {
      throw RedisError(.invalidConfiguration, reason: "REDIS_HOST names no server")
    }
    return endpoints[attempt % endpoints.count]
  }
}
