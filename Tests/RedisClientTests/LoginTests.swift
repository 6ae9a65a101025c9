import RedisClient
import TestSupport
import Testing

/// Sends one command by a client of its own and returns the error it meets.
func failure(
  _ configuration: RedisConfiguration, timeout: Duration = .seconds(20)
) async -> RedisError? {
  await RedisClient.withClient(configuration) { redis in
    await #expect(throws: RedisError.self) {
      try await redis.send(RedisCommand("PING"), timeout: timeout)
    }
  }
}

/// Tries to connect and returns the first error that a client meets.
func connectionError(_ configuration: RedisConfiguration) async throws -> RedisError {
  final class Recorder: RedisObserver {
    let error = Watched<RedisError?>(nil)

    func commandEnded(_ name: String, duration: Duration, error: (any Error)?) {}

    func connectionChanged(_ state: RedisConnectionState) {
      guard case .disconnected(let new) = state else { return }
      // Observers must return at once.
      Task { await error.update { $0 = $0 ?? new } }
    }
  }
  let recorder = Recorder()
  let redis = RedisClient(configuration, observer: recorder)
  async let _ = redis.run()
  let error = try await within(.seconds(30), "failing to connect") {
    try await recorder.error.wait { $0 != nil }
  }
  return try #require(error)
}

@Suite struct LoginTests {
  @Test(.redisServer(.password("open sesame"))) func `a password opens the server`() async throws {
    let redis = try #require(RedisServer.connection)
    #expect(try await redis.command("PING") == "PONG")
  }

  @Test(.redisServer(.password("right"), .noConnection))
  func `a wrong password fails at once and is not shown`() async throws {
    var configuration = try #require(RedisServer.current).configuration
    configuration.password = "wrong one"
    let error = await failure(configuration)
    #expect(error?.code == .authenticationFailed)
    #expect(error?.isRetryable == false)
    #expect(error?.reason.contains("WRONGPASS") == true)
    #expect(error.map { "\($0)".contains("wrong one") } == false)
  }

  @Test(.redisServer(.password("right"), .noConnection))
  func `a missing password is named`() async throws {
    var configuration = try #require(RedisServer.current).configuration
    configuration.password = nil
    configuration.database = 1
    let error = await failure(configuration)
    #expect(error?.code == .authenticationFailed)
    #expect(error.map { "\($0)".contains("REDIS_PASSWORD") } == true)
  }

  @Test(.redisServer) func `a needless password is refused`() async throws {
    var configuration = try #require(RedisServer.current).configuration
    configuration.password = "needless"
    #expect(await failure(configuration)?.code == .authenticationFailed)
  }

  @Test(.redisServer) func `a user logs in with name and password and has its rights`()
    async throws
  {
    let admin = try #require(RedisServer.connection)
    try await admin.command("ACL", "SETUSER", "kiosk", "on", ">pass word", "~job:*", "+get", "+set")
    var configuration = try #require(RedisServer.current).configuration
    configuration.username = "kiosk"
    configuration.password = "pass word"
    configuration.clientName = "may not name itself"
    try await RedisClient.withClient(configuration) { redis in
      try await redis.command("SET", "job:1", "x")
      let error = await #expect(throws: RedisError.self) { try await redis.command("GET", "other") }
      #expect(error?.serverCode == "NOPERM")
    }
    configuration.username = "nobody"
    #expect(await failure(configuration)?.code == .authenticationFailed)
  }

  @Test(.redisServer) func `the database and the name are set`() async throws {
    var configuration = try #require(RedisServer.current).configuration
    configuration.database = 5
    configuration.clientName = "kiosk worker\n1"
    try await RedisClient.withClient(configuration) { redis in
      let info: String = try await redis.command("CLIENT", "INFO").decode()
      #expect(info.contains(" db=5 "))
      #expect(info.contains(" name=kiosk-worker-1 "))
      let other: String = try await redis.blocking(
        RedisCommand("CLIENT", "INFO"), timeout: .seconds(20)
      ).decode()
      #expect(other.contains(" db=5 "))
    }
  }

  @Test(.redisServer) func `a database out of range is a wrong setting`() async throws {
    var configuration = try #require(RedisServer.current).configuration
    configuration.database = 5000
    let error = await failure(configuration)
    #expect(error?.code == .invalidConfiguration)
    #expect(error?.reason.contains("REDIS_DB") == true)
  }

  @Test(.redisServer(.arguments("--maxclients", "1")))
  func `a full server is named and waited for`() async throws {
    let first = try #require(RedisServer.connection)
    try await first.command("PING")
    var configuration = try #require(RedisServer.current).configuration
    configuration.reconnectDelayLimit = .milliseconds(50)
    let error = try await connectionError(configuration)
    #expect(error.code == .connectionFailed)
    #expect(error.isRetryable)
    // The explanation is lost when the server's reset overtakes it.
    #expect(error.reason.contains("max number of clients") || error.reason.contains("reset"))

    try await first.command("CONFIG", "SET", "maxclients", 10)
    try await RedisClient.withClient(configuration) { redis in
      let reply = try await redis.command("PING")
      #expect(reply == "PONG")
    }
  }

  @Test func `a server that is loading is waited for`() async throws {
    let listener = try await TestListener.answering { connection, _ in
      connection < 2 ? .send("-LOADING Redis is loading the dataset\r\n") : .send("+PONG\r\n")
    }
    let configuration = RedisConfiguration(host: "127.0.0.1", port: listener.port)
    try await RedisClient.withClient(configuration) { redis in
      let reply = try await redis.command("PING")
      #expect(reply == "PONG")
    }
  }

  @Test func `a refused connection names the address`() async throws {
    let port = try RefusingPort()
    defer { withExtendedLifetime(port) {} }
    let error = try await connectionError(RedisConfiguration(host: "127.0.0.1", port: port.number))
    #expect(error.code == .connectionFailed)
    #expect(error.reason == "127.0.0.1:\(port.number): connection refused")
  }

  @Test func `an unknown host is named`() async throws {
    var configuration = RedisConfiguration(host: "no-such-host.invalid")
    // Some resolvers take longer to say that they know nothing.
    configuration.connectTimeout = .seconds(1)
    let error = try await connectionError(configuration)
    #expect(error.code == .connectionFailed)
    #expect(error.reason.contains("no-such-host.invalid"))
  }
}
