import RedisClient
import TestSupport
import Testing

/// Finding the primary while nothing fails over.
@Suite struct SentinelDiscoveryTests {
  /// A Sentinel that never takes a server for dead, so that a slow machine starts no failover.
  private static func sentinel(
    for server: RedisServer, settings: [String] = [], options: [String] = []
  ) async throws -> SentinelServer {
    try await SentinelServer.start(
      watching: .init(
        port: server.port, options: ["down-after-milliseconds 600000"] + options),
      settings: settings)
  }

  @Test(.redisServer) func `the primary is found by way of a Sentinel`() async throws {
    let server = try #require(RedisServer.current)
    let sentinel = try await Self.sentinel(for: server)
    var configuration = sentinel.configuration
    configuration.database = 3
    configuration.clientName = "worker"
    let log = RecordedLog()
    try await RedisClient.withClient(configuration, logger: log.logger) { redis in
      // Both find out at the same time whom they talk to.
      async let waited = redis.blocking(RedisCommand("BLPOP", "q", 0.01), timeout: .seconds(20))
      try await redis.command("SET", "a", "b")
      let client: String = try await redis.command("CLIENT", "INFO").decode()
      #expect(client.contains(" db=3 "))
      #expect(try await waited.isNull)
      try await redis.withSubscription(to: ["news"]) { events in
        try await redis.command("PUBLISH", "news", "hello")
        for try await case .message(let message) in events {
          #expect(message.text == "hello")
          break
        }
      }
    }
    #expect(try await redisCLI(port: server.port, "-n", "3", "GET", "a") == ["b"])
    #expect(log.count { $0.hasPrefix("warning") } == 0, "\(log.text)")
    try await sentinel.stop()
  }

  @Test(.redisServer) func `of several addresses the dead and the silent are passed over`()
    async throws
  {
    let server = try #require(RedisServer.current)
    let silent = try await TestListener.answering { _, _ in .nothing }
    let sentinel = try await Self.sentinel(for: server)
    for live in [sentinel.endpoint, server.configuration.endpoints[0]] {
      let addresses = [
        RedisEndpoint(host: "127.0.0.1", port: try freePort()),
        RedisEndpoint(host: "127.0.0.1", port: silent.port), live,
      ]
      var configuration = RedisConfiguration(endpoints: addresses)
      configuration.connectTimeout = .seconds(20)
      try await RedisClient.withClient(configuration) { redis in
        let reply = try await redis.send(RedisCommand("PING"), timeout: .seconds(15))
        #expect(reply == "PONG")
      }
    }
    try await sentinel.stop()
  }

  @Test(.redisServer) func `of several primaries one is chosen by name`() async throws {
    let (first, second) = (try #require(RedisServer.current), try await RedisServer.start())
    let sentinel = try await SentinelServer.start(
      watching: .init("zebra", port: second.port), .init("ant", port: first.port))
    let log = RecordedLog()
    func port(_ name: String?) async throws -> RedisValue {
      var configuration = sentinel.configuration
      configuration.sentinel.primaryName = name
      return try await RedisClient.withClient(configuration, logger: log.logger) { redis in
        try await redis.command("CONFIG", "GET", "port")
      }
    }
    #expect(try await port(nil) == ["port", .string(Array("\(first.port)".utf8))])
    #expect(log.count { $0.contains("REDIS_SENTINEL_MASTER") && $0.contains("ant, zebra") } == 1)
    #expect(try await port("zebra") == ["port", .string(Array("\(second.port)".utf8))])

    var configuration = sentinel.configuration
    configuration.sentinel.primaryName = "bee"
    let error = try await connectionError(configuration)
    #expect(error.reason.contains("knows no bee, only ant, zebra"))

    try await redisCLI(
      port: sentinel.port, "SENTINEL", "MONITOR", "mymaster", "127.0.0.1", "\(second.port)", "1")
    #expect(try await port(nil) == ["port", .string(Array("\(second.port)".utf8))])
    try await sentinel.stop()
    try await second.stop()
  }

  @Test(.redisServer(.password("redis-password"), .noConnection))
  func `Sentinels have the password of Redis, one of their own or none`() async throws {
    let server = try #require(RedisServer.current)
    let access = ["auth-pass redis-password"]
    for (password, own) in [
      ("", nil), ("redis-password", nil), ("sentinel-password", "sentinel-password"),
    ] {
      let sentinel = try await Self.sentinel(
        for: server, settings: password.isEmpty ? [] : ["requirepass \(password)"],
        options: access)
      var configuration = sentinel.configuration
      configuration.password = "redis-password"
      configuration.sentinel.password = own
      try await RedisClient.withClient(configuration) { redis in
        let reply = try await redis.command("PING")
        #expect(reply == "PONG")
      }
      if own != nil {
        configuration.sentinel.password = nil
        #expect(await failure(configuration)?.code == .authenticationFailed)
      }
      try await sentinel.stop()
    }
  }

  @Test(.redisServer) func `a Sentinel that names a replica is asked last`() async throws {
    let server = try #require(RedisServer.current)
    let replica = try await RedisServer.start([
      .arguments("--replicaof", "127.0.0.1", "\(server.port)"), .noConnection,
    ])
    let outdated = try await Self.sentinel(for: replica)
    let good = try await Self.sentinel(for: server)
    let configuration = RedisConfiguration(endpoints: [outdated.endpoint, good.endpoint])
    try await RedisClient.withClient(configuration) { redis in
      let reply = try await redis.send(RedisCommand("SET", "a", 1), timeout: .seconds(30))
      #expect(reply.isOK)
    }
    for sentinel in [outdated, good] { try await sentinel.stop() }
    try await replica.stop()
  }

  @Test(
    .redisCluster { settings in
      (settings.announcesNames, settings.replicas) = (true, 1)
      (settings.sentinels, settings.downAfter) = (1, .seconds(600))
    }) func `a primary may be announced by its host name`() async throws
  {
    let cluster = try #require(RedisCluster.current)
    let address = try await redisCLI(
      port: cluster.sentinels[0].port, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster")
    #expect(address.first == "localhost")
    try await RedisClient.withClient(cluster.configuration) { redis in
      let reply = try await redis.command("SET", "a", 1)
      #expect(reply.isOK)
    }
  }

  @Test(.redisServer) func `nobody is asked without pauses while there is no primary`()
    async throws
  {
    let server = try #require(RedisServer.current)
    let sentinel = try await Self.sentinel(for: server)
    let proxy = try await TestProxy(to: sentinel.port)
    try await server.stop()
    let error = await failure(
      RedisConfiguration(host: "127.0.0.1", port: proxy.port), timeout: .seconds(2))
    #expect(error?.code == .connectionFailed)
    #expect(error?.reason.contains("\(server.port): connection refused") == true)
    // Pauses double from 25...50 to 250...500 ms; one address, so one question each.
    #expect(proxy.connectionCount < 20)
    try await sentinel.stop()
  }
}
