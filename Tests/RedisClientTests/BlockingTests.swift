import RedisClient
import TestSupport
import Testing

@Suite struct BlockingTests {
  private let move = RedisCommand("BLMOVE", "q", "q", "RIGHT", "RIGHT", 10)

  /// Waits until as many clients are blocked on the server.
  private func blocked(_ count: Int, _ redis: RedisClient) async throws {
    try await eventually("\(count) clients are blocked") {
      let info: String = try await redis.command("INFO", "clients").decode()
      return info.contains("blocked_clients:\(count)\r\n")
    }
  }

  @Test(.redisServer) func `a blocked command is woken by a push and delays nobody`() async throws {
    let redis = try #require(RedisServer.connection)
    async let woken = redis.blocking(move, timeout: .seconds(20))
    try await blocked(1, redis)
    try await redis.command("LPUSH", "q", "job")
    #expect(try await woken == "job")
    #expect(try await redis.command("LRANGE", "q", 0, -1) == ["job"])
  }

  @Test(.redisServer) func `a wait without a result answers null`() async throws {
    let redis = try #require(RedisServer.connection)
    let command = RedisCommand("BLMOVE", "q", "q", "RIGHT", "RIGHT", 0.01)
    #expect(try await redis.blocking(command, timeout: .seconds(20)).isNull)
  }

  @Test(.redisServer) func `the connection is used again`() async throws {
    let redis = try #require(RedisServer.connection)
    let first: Int = try await redis.blocking(RedisCommand("CLIENT", "ID"), timeout: .seconds(20))
      .decode()
    for _ in 0..<5 {
      let id = try await redis.blocking(RedisCommand("CLIENT", "ID"), timeout: .seconds(20))
      #expect(id == .integer(first))
    }
    #expect(try await redis.command("CLIENT", "ID") != .integer(first))
  }

  @Test(.redisServer) func `a cancelled wait takes no element`() async throws {
    let redis = try #require(RedisServer.connection)
    for round in 1...5 {
      let waiting = Task {
        try await redis.blocking(RedisCommand("BLPOP", "q\(round)", 0), timeout: .seconds(60))
      }
      try await blocked(1, redis)
      waiting.cancel()
      await #expect(throws: CancellationError.self) { try await waiting.value }
      try await blocked(0, redis)
      #expect(try await redis.command("RPUSH", "q\(round)", "job") == 1)
      #expect(try await redis.command("LLEN", "q\(round)") == 1)
    }
  }

  @Test(.redisServer) func `a wait past its deadline is given up and takes no element`()
    async throws
  {
    let redis = try #require(RedisServer.connection)
    // Connected already, so that all of the time is the wait's.
    try await redis.blocking(RedisCommand("PING"), timeout: .seconds(20))
    let error = await #expect(throws: RedisError.self) {
      try await redis.blocking(RedisCommand("BLPOP", "q", 0), timeout: .milliseconds(300))
    }
    #expect(error?.code == .timedOut)
    #expect(error?.outcomeUnknown == true)
    try await blocked(0, redis)
    #expect(try await redis.command("RPUSH", "q", "job") == 1)
    #expect(try await redis.command("LLEN", "q") == 1)
  }

  @Test(.redisServer) func `a server that becomes a replica ends the wait`() async throws {
    let redis = try #require(RedisServer.connection)
    let waiting = Task { [move] in try await redis.blocking(move, timeout: .seconds(20)) }
    try await blocked(1, redis)
    try await redis.command("REPLICAOF", "127.0.0.1", try freePort())
    let error = await #expect(throws: RedisError.self) { try await waiting.value }
    #expect(error?.serverCode == "UNBLOCKED")
    #expect(error?.isRetryable == true)
    #expect(error?.outcomeUnknown == false)
    let server = try #require(RedisServer.current)
    try await redisCLI(port: server.port, "REPLICAOF", "NO", "ONE")
    try await redis.command("LPUSH", "q", "job")
    #expect(try await redis.blocking(move, timeout: .seconds(20)) == "job")
  }

  @Test(.redisServer(.noConnection)) func `a blocking command waits for the server to come`()
    async throws
  {
    let server = try #require(RedisServer.current)
    try await server.stop()
    let move = move
    try await RedisClient.withClient(server.configuration) { redis in
      async let waiting = redis.blocking(move, timeout: .seconds(30))
      try await server.start()
      try await redis.command("LPUSH", "q", "job")
      let reply = try await waiting
      #expect(reply == "job")
    }
  }

  @Test(.redisServer) func `an unanswered wait ends although the network is silent`() async throws {
    let server = try #require(RedisServer.current)
    let proxy = try await TestProxy(to: server.port)
    try await RedisClient.withClient(RedisConfiguration(host: "127.0.0.1", port: proxy.port)) {
      redis in
      try await redis.command("PING")
      proxy.freeze()
      let error = await #expect(throws: RedisError.self) {
        try await redis.blocking(
          RedisCommand("BLPOP", "q", 0.01), timeout: .milliseconds(300))
      }
      #expect(error?.isRetryable == true)
      proxy.thaw()
      let reply = try await redis.blocking(RedisCommand("BLPOP", "q", 0.01), timeout: .seconds(20))
      #expect(reply.isNull)
      try await redis.command("PING")
    }
  }
}
