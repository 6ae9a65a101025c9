import RedisClient
import TestSupport
import Testing

@Suite struct CommandTests {
  @Test(.redisServer) func `a hash comes back as it was written`() async throws {
    let redis = try #require(RedisServer.connection)
    try await redis.command("HSET", "job", "status", "new", "count", 3)
    let fields: [String: String] = try await redis.command("HGETALL", "job").decode()
    #expect(fields == ["status": "new", "count": "3"])
  }
}
