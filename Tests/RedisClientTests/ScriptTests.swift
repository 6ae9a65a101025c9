import RedisClient
import TestSupport
import Testing

@Suite struct ScriptTests {
  let increment = RedisScript("return redis.call('INCRBY', KEYS[1], ARGV[1])")

  @Test(.redisServer) func `a script costs one command once the server has it`() async throws {
    let redis = try #require(RedisServer.connection)
    for count in 1...5 {
      #expect(try await redis.eval(increment, keys: ["n"], arguments: [2]) == .integer(2 * count))
    }
    let statistics: String = try await redis.command("INFO", "commandstats").decode()
    #expect(statistics.contains("cmdstat_evalsha:calls=5,"))
    #expect(statistics.contains("cmdstat_eval:calls=1,"))
  }

  @Test(.redisServer) func `a flushed script is sent again`() async throws {
    let redis = try #require(RedisServer.connection)
    try await redis.eval(increment, keys: ["n"], arguments: [1])
    try await redis.command("SCRIPT", "FLUSH")
    #expect(try await redis.eval(increment, keys: ["n"], arguments: [1]) == 2)
  }

  @Test(.redisServer) func `digests are those of the server`() async throws {
    let redis = try #require(RedisServer.connection)
    // The lengths around a block's end exercise the padding.
    for length in [0, 1, 30, 53, 54, 55, 56, 57, 62, 63, 64, 65, 119, 120, 1000, 100_000] {
      let script = RedisScript("return 1" + String(repeating: " ", count: length))
      #expect(try await redis.command("SCRIPT", "LOAD", script.source).string == script.digest)
    }
  }

  @Test(.redisServer) func `a script in a pipeline reports that it is missing`() async throws {
    let redis = try #require(RedisServer.connection)
    let call = increment.command(keys: ["n"], arguments: [3])
    #expect(try await redis.pipeline([call])[0].errorMessage?.hasPrefix("NOSCRIPT") == true)
    try await redis.eval(increment, keys: ["n"], arguments: [1])
    #expect(try await redis.pipeline([call]) == [4])
  }

  @Test(.redisServer) func `an error raised by a script is not taken for a missing one`()
    async throws
  {
    let redis = try #require(RedisServer.connection)
    let error = await #expect(throws: RedisError.self) {
      try await redis.eval(RedisScript("return redis.error_reply('STALE owner')"))
    }
    #expect(error?.serverCode == "STALE")
  }
}
