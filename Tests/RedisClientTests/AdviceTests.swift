import RedisClient
import TestSupport
import Testing

@Suite struct AdviceTests {
  @Test(.redisServer(.arguments("--appendonly", "yes")))
  func `a server that keeps what it takes needs no advice`() async throws {
    let redis = try #require(RedisServer.connection)
    #expect(try await redis.advice() == [])
    try await redis.command("CONFIG", "SET", "appendonly", "no")
    try await redis.command("CONFIG", "SET", "save", "3600 1")
    #expect(try await redis.advice() == [])
  }

  @Test(.redisServer) func `settings that lose jobs are named`() async throws {
    let redis = try #require(RedisServer.connection)
    let server = try #require(RedisServer.current)
    try await redis.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    let replica = try await RedisServer.start([
      .arguments("--replicaof", "127.0.0.1", "\(server.port)"), .noConnection,
    ])
    try await redis.replicated(RedisCommand("SET", "a", 1), to: 1, within: .seconds(30))
    let advice = try await redis.advice()
    try #require(advice.count == 3)
    #expect(advice[0].hasPrefix("maxmemory-policy is allkeys-lru: "))
    #expect(advice[1].hasPrefix("Redis saves nothing to disk: "))
    #expect(advice[2].hasPrefix("min-replicas-to-write is 0 with 1 replica: "))

    try await redis.command("CONFIG", "SET", "min-replicas-to-write", 1)
    #expect(try await redis.advice().count == 2)
    try await replica.stop()
  }

  @Test(.redisServer) func `settings that are hidden are said to be`() async throws {
    let admin = try #require(RedisServer.connection)
    try await admin.command(
      "ACL", "SETUSER", "kiosk", "on", ">p", "~*", "+@all", "-config", "-info")
    var configuration = try #require(RedisServer.current).configuration
    (configuration.username, configuration.password) = ("kiosk", "p")
    let advice = try await RedisClient.withClient(configuration) { try await $0.advice() }
    try #require(advice.count == 1)
    #expect(advice[0].hasPrefix("cannot check maxmemory-policy, appendonly, save, min-replicas"))
    #expect(advice[0].contains("NOPERM"))
  }

  @Test(.redisServer(.arguments("--rename-command", "CONFIG", "")))
  func `a renamed command is no failure`() async throws {
    let advice = try await #require(RedisServer.connection).advice()
    #expect(advice.count == 1 && advice[0].contains("unknown command"))
  }
}
