import RedisClient
import TestSupport
import Testing

@Suite struct CancellationTests {
  @Test(.redisServer) func `twenty thousand waiting commands are cancelled in a moment`()
    async throws
  {
    let redis = try #require(RedisServer.connection)
    let server = try #require(RedisServer.current)
    try await redis.command("PING")
    await server.freeze()
    // A search of the queue for each would take far longer than the commands' own time.
    let cancelled = try await within(.seconds(20), "cancelling") {
      await withTaskGroup(of: Bool.self) { group in
        for index in 0..<20_000 {
          group.addTask {
            do {
              try await redis.send(RedisCommand("INCRBY", "n", index), timeout: .seconds(60))
              return false
            } catch {
              return error is CancellationError
            }
          }
        }
        group.cancelAll()
        return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
      }
    }
    #expect(cancelled == 20_000)
    await server.thaw()
    #expect(try await redis.command("PING") == "PONG")
  }

  @Test(.redisServer) func `a cancelled command's reply goes to nobody else`() async throws {
    let redis = try #require(RedisServer.connection)
    let server = try #require(RedisServer.current)
    try await redis.command("SET", "waiting", "no")
    await server.freeze()
    await withTaskGroup { group in
      for _ in 0..<100 {
        group.addTask { _ = try? await redis.command("ECHO", "cancelled") }
        group.addTask {
          _ = try? await redis.pipeline([RedisCommand("PING"), RedisCommand("PING")])
        }
      }
      // Written, then cancelled: commands go out in the order in which they came.
      group.addTask {
        try? await Task.sleep(for: .milliseconds(50))
      }
      try? await Task.sleep(for: .milliseconds(50))
      group.cancelAll()
    }
    async let first = redis.command("ECHO", "first")
    async let second = redis.pipeline([RedisCommand("ECHO", "second")])
    await server.thaw()
    #expect(try await first == "first")
    #expect(try await second == ["second"])
    #expect(try await redis.command("ECHO", "third") == "third")
  }

  @Test(.redisServer) func `a task cancelled beforehand sends nothing`() async throws {
    let redis = try #require(RedisServer.connection)
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await redis.command("SET", "key", "value")
    }
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try await redis.command("EXISTS", "key") == 0)
  }

  @Test func `waiting for a connection can be cancelled`() async throws {
    let port = try RefusingPort()
    defer { withExtendedLifetime(port) {} }
    let configuration = RedisConfiguration(host: "127.0.0.1", port: port.number)
    await RedisClient.withClient(configuration) { redis in
      await withTaskGroup { group in
        group.addTask {
          await #expect(throws: CancellationError.self) { try await redis.command("PING") }
        }
        group.addTask {
          await #expect(throws: CancellationError.self) {
            try await redis.blocking(RedisCommand("BLPOP", "q", 0), timeout: .seconds(60))
          }
        }
        group.cancelAll()
      }
    }
  }

  @Test func `connecting to a silent server can be cancelled`() async throws {
    let listener = try await TestListener.answering { _, _ in .nothing }
    let redis = RedisClient(RedisConfiguration(host: "127.0.0.1", port: listener.port))
    let running = Task { await redis.run() }
    let waiting = Task { try await redis.command("PING") }
    try await Task.sleep(for: .milliseconds(20))
    running.cancel()
    try await within(.seconds(3), "run() to end") { await running.value }
    let error = await #expect(throws: RedisError.self) { try await waiting.value }
    #expect(error?.code == .notRunning)
    #expect(error?.outcomeUnknown == false)
    await #expect(throws: RedisError.self) { try await redis.command("PING") }
    await #expect(throws: RedisError.self) {
      try await redis.blocking(RedisCommand("PING"), timeout: .seconds(20))
    }
  }
}
