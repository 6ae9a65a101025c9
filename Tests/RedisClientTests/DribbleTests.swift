import RedisClient
import TestSupport
import Testing

@Suite struct DribbleTests {
  @Test(.redisServer, arguments: [1, 2, 3, 7])
  func `replies that come in pieces are put together`(pieceSize: Int) async throws {
    let server = try #require(RedisServer.current)
    let proxy = try await TestProxy(to: server.port, pieceSize: pieceSize)
    let configuration = RedisConfiguration(host: "127.0.0.1", port: proxy.port)
    try await RedisClient.withClient(configuration) { redis in
      let text = String(repeating: "a\r\n$", count: 300)
      let replies = try await redis.pipeline([
        RedisCommand("SET", "k", text), RedisCommand("GET", "k"), RedisCommand("INCR", "n"),
        RedisCommand("LRANGE", "none", 0, -1), RedisCommand("NONSENSE"), RedisCommand("GET", "no"),
        RedisCommand("EVAL", "return {1, {'two', {3}}, false}", 0),
      ])
      #expect(replies[1].string == text)
      #expect(replies[2...3] == [1, []])
      #expect(replies[4].errorMessage != nil)
      #expect(replies[5...] == [.null, [1, ["two", [3]], .null]])
    }
  }
}
