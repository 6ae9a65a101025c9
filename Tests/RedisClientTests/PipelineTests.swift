import RedisClient
import TestSupport
import Testing

@Suite struct PipelineTests {
  @Test(.redisServer) func `a pipeline answers in order with errors as values`() async throws {
    let redis = try #require(RedisServer.connection)
    let replies = try await redis.pipeline([
      RedisCommand("SET", "a", 1), RedisCommand("LPUSH", "a", 2), RedisCommand("INCR", "a"),
    ])
    try #require(replies.count == 3)
    #expect(replies[0].isOK)
    #expect(replies[1].errorMessage?.hasPrefix("WRONGTYPE") == true)
    #expect(replies[2] == 2)
    #expect(try await redis.pipeline([]) == [])
    #expect(try await redis.pipeline([RedisCommand("GET", "a")]) == ["2"])
  }

  @Test(.redisServer) func `pipelines of many tasks do not mix`() async throws {
    let redis = try #require(RedisServer.connection)
    try await withThrowingTaskGroup { group in
      for task in 0..<20 {
        group.addTask {
          let texts = (0..<100).map { "\(task):\($0)" }
          let replies = try await redis.pipeline(texts.map { RedisCommand("ECHO", $0) })
          #expect(replies.map(\.string) == texts)
        }
      }
      try await group.waitForAll()
    }
  }

  @Test(.redisServer) func `a transaction returns the replies of its commands`() async throws {
    let redis = try #require(RedisServer.connection)
    let replies = try await redis.transaction([
      RedisCommand("SET", "a", "text"), RedisCommand("INCR", "a"), RedisCommand("GET", "a"),
    ])
    try #require(replies.count == 3)
    #expect(replies[1].errorMessage != nil)
    #expect(replies[2] == "text")
  }

  @Test(.redisServer) func `a transaction with a refused command does nothing`() async throws {
    let redis = try #require(RedisServer.connection)
    let error = await #expect(throws: RedisError.self) {
      try await redis.transaction([RedisCommand("SET", "a", 1), RedisCommand("NONSENSE")])
    }
    #expect(error?.command == "NONSENSE")
    #expect(error?.outcomeUnknown == false)
    #expect(try await redis.command("EXISTS", "a") == 0)
  }
}
