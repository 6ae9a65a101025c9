import RedisClient
import TestSupport
import Testing

@Suite struct CommandTests {
  @Test(.redisServer) func `a hash comes back as it was written`() async throws {
    let redis = try #require(RedisServer.connection)
    #expect(try await redis.command("HSET", "job", "status", "new", "count", 3) == 2)
    let fields: [String: String] = try await redis.command("HGETALL", "job").decode()
    #expect(fields == ["status": "new", "count": "3"])
  }

  @Test(.redisServer) func `each kind of reply arrives as itself`() async throws {
    let redis = try #require(RedisServer.connection)
    let script = "return {1, 'text', false, {}, {2, {'deep'}}, {err = 'BAD thing'}, {ok = 'FINE'}}"
    let reply = try await redis.command("EVAL", script, 0)
    #expect(
      reply == [1, "text", .null, [], [2, ["deep"]], .error("BAD thing"), "FINE"])
    #expect(try await redis.command("PING") == "PONG")
    #expect(try await redis.command("GET", "nothing").isNull)
  }

  @Test(.redisServer) func `arguments may be empty, binary or numbers`() async throws {
    let redis = try #require(RedisServer.connection)
    let bytes: [UInt8] = [0, 13, 10, 255, 36, 42]
    for value: any RedisArgument in ["", [UInt8](), bytes, -5, 0.25, "täxt"[...]] {
      try await redis.command("SET", bytes, value)
      var expected: [UInt8] = []
      value.withRedisBytes { expected = Array($0) }
      #expect(try await redis.command("GET", bytes) == .string(expected))
    }
  }

  @Test(.redisServer) func `a value of 64 MiB travels both ways`() async throws {
    let redis = try #require(RedisServer.connection)
    var value = [UInt8](repeating: 7, count: 64 << 20)
    value[1 << 20] = 1
    value[value.count - 1] = 2
    try await redis.send(RedisCommand("SET", "large", value), timeout: .seconds(60))
    let reply = try await redis.send(RedisCommand("GET", "large"), timeout: .seconds(60))
    #expect(reply.bytes == value)
    #expect(try await redis.command("PING") == "PONG")
  }

  @Test(.redisServer) func `large arguments keep their places among small ones`() async throws {
    let redis = try #require(RedisServer.connection)
    let large = [UInt8](repeating: 1, count: 1 << 20)
    let text = String(repeating: "x", count: 2 << 20)
    let arguments: [any RedisArgument] = ["list", "a", large, "", text, 5, large, "b"]
    try await redis.send(RedisCommand("RPUSH", arguments: arguments))
    #expect(
      try await redis.command("LRANGE", "list", 0, -1)
        == ["a", .string(large), "", .string(Array(text.utf8)), "5", .string(large), "b"])
  }

  @Test(.redisServer) func `an error reply is thrown with its code`() async throws {
    let redis = try #require(RedisServer.connection)
    try await redis.command("SET", "text", "a")
    let error = await #expect(throws: RedisError.self) {
      try await redis.command("LPUSH", "text", "secret")
    }
    #expect(error?.code == .rejected)
    #expect(error?.serverCode == "WRONGTYPE")
    #expect(error?.command == "LPUSH")
    #expect(error?.isRetryable == false)
    #expect(error?.outcomeUnknown == false)
    #expect(error.map { "\($0)".contains("secret") } == false)
  }

  @Test(.redisServer) func `many tasks share one connection`() async throws {
    let redis = try #require(RedisServer.connection)
    let sum = try await withThrowingTaskGroup(of: Int.self) { group in
      for index in 0..<1000 {
        group.addTask { try await redis.command("ECHO", index).decode() }
      }
      return try await group.reduce(0, +)
    }
    #expect(sum == 499_500)
    let clients: String = try await redis.command("CLIENT", "LIST").decode()
    #expect(clients.split(separator: "\n").count == 1)
  }

  @Test(.redisServer) func `replies reach the task that asked`() async throws {
    let redis = try #require(RedisServer.connection)
    try await withThrowingTaskGroup { group in
      for task in 0..<50 {
        group.addTask {
          for number in 0..<50 {
            let text = "\(task):\(number)"
            let reply = try await redis.command("ECHO", text)
            #expect(reply.string == text)
          }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test(arguments: [
    "SUBSCRIBE", "select", "MULTI", "WATCH", "BLPOP", "BLMOVE", "MONITOR", "AUTH", "QUIT",
  ])
  func `commands that would disturb others are refused`(name: String) async throws {
    let redis = RedisClient(RedisConfiguration(host: "localhost"))
    let error = await #expect(throws: RedisError.self) { try await redis.command(name, "x") }
    #expect(error?.code == .invalidCommand)
    await #expect(throws: RedisError.self) { try await redis.pipeline([RedisCommand(name)]) }
    await #expect(throws: RedisError.self) {
      try await redis.command("XREAD", "BLOCK", 0, "STREAMS", "s", "$")
    }
  }

  @Test func `a command too large for hiredis is refused before it is copied`() async throws {
    struct Huge: RedisArgument {
      var redisByteCount: Int { 600 << 20 }

      func withRedisBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
        Issue.record("its bytes were asked for")
      }
    }
    let redis = RedisClient(RedisConfiguration(host: "localhost"))
    let error = await #expect(throws: RedisError.self) {
      try await redis.command("SET", "k", Huge())
    }
    #expect(error?.code == .invalidCommand)
  }

  @Test(.redisServer) func `more waiting commands than allowed are refused`() async throws {
    let server = try #require(RedisServer.current)
    var configuration = server.configuration
    configuration.pendingLimit = 10
    try await RedisClient.withClient(configuration) { redis in
      try await redis.command("PING")
      await server.freeze()
      let errors = await withTaskGroup(of: RedisError.Code?.self) { group in
        for _ in 0..<25 {
          group.addTask {
            do {
              try await redis.send(RedisCommand("PING"), timeout: .seconds(1))
              return nil
            } catch {
              return (error as? RedisError)?.code
            }
          }
        }
        return await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
      }
      #expect(errors[.tooManyPending] == 15)
      await server.thaw()
      #expect(try await redis.command("PING") == "PONG")
    }
  }
}
