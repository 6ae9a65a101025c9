import RedisClient
import TestSupport
import Testing

@Suite struct ReplicationTests {
  @Test(.redisServer) func `a write is confirmed by a replica`() async throws {
    let redis = try #require(RedisServer.connection)
    let server = try #require(RedisServer.current)
    let replica = try await RedisServer.start([
      .arguments("--replicaof", "127.0.0.1", "\(server.port)"), .noConnection,
    ])
    let script = RedisScript("return redis.call('INCR', KEYS[1])")
    // The server knows the script from the second call on.
    for number in 1...2 {
      let written = try await redis.replicated(
        script, keys: ["n"], to: 1, within: .seconds(30))
      #expect(written.value == .integer(number))
      #expect(written.replicaCount == 1)
      #expect(try await redisCLI(port: replica.port, "GET", "n") == ["\(number)"])
    }
    try await replica.stop()
  }

  @Test(.redisServer) func `without replicas the write counts and says so`() async throws {
    let redis = try #require(RedisServer.connection)
    let written = try await redis.replicated(
      RedisCommand("SET", "a", 1), to: 1, within: .milliseconds(20))
    #expect(written.value.isOK)
    #expect(written.replicaCount == 0)
    let error = await #expect(throws: RedisError.self) {
      try await redis.replicated(RedisCommand("INCR"), to: 1, within: .milliseconds(1))
    }
    #expect(error?.code == .rejected)
    #expect(error?.command == "INCR")
  }

  @Test(.redisServer) func `waiting for replicas delays nobody else`() async throws {
    let redis = try #require(RedisServer.connection)
    let waiting = Task {
      try await redis.replicated(RedisCommand("SET", "a", 1), to: 1, within: .seconds(3600))
    }
    try await eventually("a client is blocked") {
      let info: String = try await redis.command("INFO", "clients").decode()
      return info.contains("blocked_clients:1\r\n")
    }
    #expect(try await redis.command("GET", "a") == "1")
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    let error = await #expect(throws: RedisError.self) { try await redis.command("WAIT", 1, 0) }
    #expect(error?.code == .invalidCommand)
  }
}
