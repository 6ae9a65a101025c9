import RedisClient
import TestSupport
import Testing

@Suite struct RecoveryTests {
  @Test(.redisServer) func `a client survives a restart of the server`() async throws {
    let redis = try #require(RedisServer.connection)
    let server = try #require(RedisServer.current)
    for round in 0..<3 {
      let reply = try await redis.send(RedisCommand("ECHO", round, idempotent: true))
      #expect(reply.string == "\(round)")
      try await server.restart()
    }
    #expect(try await redis.send(RedisCommand("PING", idempotent: true)) == "PONG")
  }

  @Test(.redisServer) func `commands wait while the server is away`() async throws {
    let redis = try #require(RedisServer.connection)
    let server = try #require(RedisServer.current)
    try await server.stop()
    // Idempotent, for the client may not have heard of the server's end yet.
    async let reply = redis.send(
      RedisCommand("ECHO", "later", idempotent: true), timeout: .seconds(30))
    async let scripted = redis.eval(
      RedisScript("return 'script'"), timeout: .seconds(30), idempotent: true)
    try await server.start()
    #expect(try await reply == "later")
    #expect(try await scripted == "script")
  }

  @Test(.redisServer) func `a command that waits in vain says why`() async throws {
    let redis = try #require(RedisServer.connection)
    let server = try #require(RedisServer.current)
    try await redis.command("PING")
    try await server.stop()
    let error = await #expect(throws: RedisError.self) {
      try await redis.send(RedisCommand("GET", "n", idempotent: true), timeout: .seconds(3))
    }
    #expect(error?.code == .connectionFailed)
    #expect(error?.command == "GET")
    #expect(error?.outcomeUnknown == false)
    #expect(error?.reason == "127.0.0.1:\(server.port): connection refused")
  }

  @Test(.redisServer) func `a command under way when the server dies has an unknown outcome`()
    async throws
  {
    let redis = try #require(RedisServer.connection)
    let server = try #require(RedisServer.current)
    try await redis.command("PING")
    await server.freeze()
    let increment = Task { try await redis.command("INCR", "n") }
    let read = Task { try await redis.send(RedisCommand("GET", "n", idempotent: true)) }
    let both = Task {
      try await redis.pipeline([
        RedisCommand("GET", "n", idempotent: true), RedisCommand("GET", "n", idempotent: true),
      ])
    }
    // Nothing tells from outside that they were written.
    try await Task.sleep(for: .milliseconds(100))
    try await server.kill()
    let error = await #expect(throws: RedisError.self) { try await increment.value }
    #expect(error?.code == .connectionLost)
    #expect(error?.outcomeUnknown == true)
    #expect(error?.isRetryable == true)

    try await server.start()
    #expect(try await read.value.isNull)
    #expect(try await both.value == [.null, .null])
  }

  @Test(.redisServer) func `a late reply closes the connection and the next command works`()
    async throws
  {
    let redis = try #require(RedisServer.connection)
    let server = try #require(RedisServer.current)
    let first = try await redis.command("CLIENT", "ID")
    await server.freeze()
    let error = await #expect(throws: RedisError.self) {
      try await redis.send(RedisCommand("INCR", "n"), timeout: .milliseconds(100))
    }
    #expect(error?.code == .timedOut)
    #expect(error?.outcomeUnknown == true)
    await server.thaw()
    let second = try await redis.command("CLIENT", "ID")
    #expect(second != first)
  }

  @Test(.redisServer) func `a half-open connection is noticed and replaced`() async throws {
    let server = try #require(RedisServer.current)
    let proxy = try await TestProxy(to: server.port)
    let configuration = RedisConfiguration(host: "127.0.0.1", port: proxy.port)
    try await RedisClient.withClient(configuration) { redis in
      try await redis.command("PING")
      proxy.freeze()
      let error = await #expect(throws: RedisError.self) {
        try await redis.send(RedisCommand("PING"), timeout: .milliseconds(300))
      }
      #expect(error?.code == .timedOut)
      #expect(error?.isRetryable == true)
      proxy.thaw()
      let reply = try await redis.command("PING")
      #expect(reply == "PONG")
      #expect(proxy.connectionCount > 1)
    }
  }

  @Test(.redisServer) func `connections cut again and again lose no idempotent command`()
    async throws
  {
    let server = try #require(RedisServer.current)
    let proxy = try await TestProxy(to: server.port)
    var configuration = RedisConfiguration(host: "127.0.0.1", port: proxy.port)
    configuration.reconnectDelayLimit = .milliseconds(20)
    configuration.commandTimeout = .seconds(30)
    try await RedisClient.withClient(configuration) { redis in
      try await withThrowingTaskGroup { group in
        for task in 0..<20 {
          group.addTask {
            var number = 0
            while proxy.connectionCount < 5 || number < 20 {
              let text = "\(task):\(number)"
              let reply = try await redis.send(RedisCommand("ECHO", text, idempotent: true))
              #expect(reply.string == text)
              number += 1
            }
          }
        }
        group.addTask {
          while proxy.connectionCount < 5 {
            try await Task.sleep(for: .milliseconds(10))
            proxy.cut()
          }
        }
        try await group.waitForAll()
      }
    }
  }

  @Test(.redisServer) func `a demoted server is given up for the primary`() async throws {
    let redis = try #require(RedisServer.connection)
    let server = try #require(RedisServer.current)
    let first = try await redis.command("CLIENT", "ID")
    try await redis.command("REPLICAOF", "127.0.0.1", try freePort())
    // Not executed, so sent again although it is not idempotent.
    let write = Task { try await redis.send(RedisCommand("INCR", "n"), timeout: .seconds(60)) }
    let error = await #expect(throws: RedisError.self) {
      try await redis.send(RedisCommand("SET", "a", 1), timeout: .milliseconds(500))
    }
    #expect(error?.code == .connectionFailed)
    #expect(error?.reason.contains("is a replica of 127.0.0.1:") == true)
    #expect(error?.isRetryable == true)
    #expect(error?.outcomeUnknown == false)

    try await redisCLI(port: server.port, "REPLICAOF", "NO", "ONE")
    #expect(try await write.value == 1)
    #expect(try await redis.command("CLIENT", "ID") != first)
  }

  @Test(.redisServer) func `what a demoted server refused goes to the next one configured`()
    async throws
  {
    let server = try #require(RedisServer.current)
    let other = try await RedisServer.start()
    var configuration = server.configuration
    configuration.endpoints += other.configuration.endpoints
    try await RedisClient.withClient(configuration) { redis in
      try await redis.command("SET", "place", "first")
      try await redisCLI(port: other.port, "SET", "place", "second")
      try await redis.command("REPLICAOF", "127.0.0.1", other.port)
      let length = try await redis.eval(
        RedisScript("return redis.call('APPEND', 'place', ' again')"))
      #expect(length == 12)
      let place = try await redis.command("GET", "place")
      #expect(place == "second again")
    }
    try await other.stop()
  }

  @Test(.redisServer(.arguments("--replica-serve-stale-data", "no")))
  func `a replica without its primary is an error to retry`() async throws {
    let redis = try #require(RedisServer.connection)
    try await redis.command("REPLICAOF", "127.0.0.1", try freePort())
    let error = await #expect(throws: RedisError.self) {
      try await redis.send(RedisCommand("GET", "a"), timeout: .milliseconds(500))
    }
    #expect(error?.reason.contains("MASTERDOWN") == true)
    #expect(error?.isRetryable == true)
  }

  @Test(.redisServer) func `refusals that pass are retryable`() async throws {
    let redis = try #require(RedisServer.connection)
    try await redis.command("CONFIG", "SET", "maxmemory", 1)
    let full = await #expect(throws: RedisError.self) { try await redis.command("SET", "a", 1) }
    #expect(full?.serverCode == "OOM")
    #expect(full?.isRetryable == true)
    try await redis.command("CONFIG", "SET", "maxmemory", 0)

    try await redis.command("CONFIG", "SET", "busy-reply-threshold", 10)
    let endless = Task {
      try await redis.blocking(RedisCommand("EVAL", "while true do end", 0), timeout: .seconds(60))
    }
    try await eventually("the server is busy") {
      do {
        try await redis.command("GET", "a")
        return false
      } catch let error as RedisError {
        #expect(error.serverCode == "BUSY")
        #expect(error.isRetryable)
        return true
      }
    }
    try await redis.command("SCRIPT", "KILL")
    await #expect(throws: RedisError.self) { try await endless.value }
    #expect(try await redis.command("PING") == "PONG")
  }

  @Test(.redisServer) func `stopping the client fails what waits`() async throws {
    let server = try #require(RedisServer.current)
    let redis = RedisClient(server.configuration)
    let running = Task { await redis.run() }
    try await redis.command("PING")
    let waiting = Task {
      try await redis.blocking(RedisCommand("BLPOP", "q", 0), timeout: .seconds(60))
    }
    let other = try #require(RedisServer.connection)
    try await eventually("a client is blocked") {
      let info: String = try await other.command("INFO", "clients").decode()
      return info.contains("blocked_clients:1\r\n")
    }
    running.cancel()
    try await within(.seconds(10), "run() to end") { await running.value }
    await #expect(throws: RedisError.self) { try await waiting.value }
    try await eventually("one client is left") {
      let clients: String = try await other.command("CLIENT", "LIST").decode()
      return clients.split(separator: "\n").count == 1
    }
  }
}
