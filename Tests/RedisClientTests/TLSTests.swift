import RedisClient
import TestSupport
import Testing

@Suite struct TLSTests {
  @Test(.redisServer(.tls)) func `commands travel over TLS`() async throws {
    let redis = try #require(RedisServer.connection)
    let value = [UInt8](repeating: 3, count: 3 << 20)
    try await redis.command("SET", "large", value)
    #expect(try await redis.command("GET", "large").bytes == value)
    let reply = try await redis.blocking(RedisCommand("BLPOP", "q", 0.01), timeout: .seconds(20))
    #expect(reply.isNull)
  }

  @Test(.redisServer(.tls(clients: true), .password("secret")))
  func `a client shows its certificate`() async throws {
    let redis = try #require(RedisServer.connection)
    #expect(try await redis.command("PING") == "PONG")
  }

  @Test(.redisServer(.tls(clients: true), .noConnection))
  func `a missing client certificate is an error`() async throws {
    var configuration = try #require(RedisServer.current).configuration
    configuration.tls?.certificateFile = nil
    configuration.tls?.keyFile = nil
    let error = await failure(configuration)
    #expect(error?.code == .tlsFailed)
    #expect(error?.reason.contains("REDIS_TLS_CERT_FILE") == true)
  }

  @Test(.redisServer(.tls, .noConnection)) func `an unknown authority is refused`() async throws {
    var configuration = try #require(RedisServer.current).configuration
    let other = try await TestCertificates()
    configuration.tls?.authorityFile = other.authorityFile
    let error = await failure(configuration)
    #expect(error?.code == .tlsFailed)
    #expect(error?.reason.contains("trusted authority") == true)

    configuration.tls?.authorityFile = nil
    #expect(await failure(configuration)?.code == .tlsFailed)
  }

  @Test(.redisServer(.tls(serverNames: "DNS:redis.example"), .noConnection))
  func `the certificate must carry the host's name`() async throws {
    var configuration = try #require(RedisServer.current).configuration
    let error = await failure(configuration)
    #expect(error?.code == .tlsFailed)
    #expect(error?.reason.contains("REDIS_HOST") == true)

    configuration.endpoints[0].host = "127.0.0.1"
    #expect(await failure(configuration)?.code == .tlsFailed)

    configuration.tls?.serverName = "redis.example"
    try await RedisClient.withClient(configuration) { _ = try await $0.command("PING") }
  }

  @Test(.redisServer(.tls(serverNames: "IP:127.0.0.1"), .noConnection))
  func `an address is found in the certificate`() async throws {
    var configuration = try #require(RedisServer.current).configuration
    configuration.endpoints[0].host = "127.0.0.1"
    try await RedisClient.withClient(configuration) { _ = try await $0.command("PING") }
  }

  @Test(.redisServer) func `TLS to a plain port says so`() async throws {
    var configuration = try #require(RedisServer.current).configuration
    configuration.tls = RedisTLS()
    configuration.connectTimeout = .seconds(1)
    let error = try await connectionError(configuration)
    #expect(error.reason.contains("does this port speak TLS"))
  }

  @Test(.redisServer(.tls, .noConnection)) func `plain to a TLS port says so`() async throws {
    var configuration = try #require(RedisServer.current).configuration
    configuration.tls = nil
    let error = try await connectionError(configuration)
    #expect(error.code == .connectionFailed)
    #expect(error.reason.contains("does this port expect TLS"))
  }

  @Test(arguments: [true, false])
  func `a silent port is given up in time`(usesTLS: Bool) async throws {
    let listener = try await TestListener.answering { _, _ in .nothing }
    var configuration = RedisConfiguration(host: "127.0.0.1", port: listener.port)
    configuration.tls = usesTLS ? RedisTLS() : nil
    configuration.connectTimeout = .seconds(1)
    let error = try await connectionError(configuration)
    #expect(error.code == .connectionFailed)
    #expect(error.isRetryable)
    #expect(error.reason.contains("TLS (REDIS_TLS)?"))
  }

  @Test func `files that cannot be used are named`() async throws {
    let folder = try TemporaryFolder()
    var configuration = RedisConfiguration(host: "127.0.0.1", port: try freePort())
    let listener = try await TestListener.answering { _, _ in .nothing }
    configuration.endpoints[0].port = listener.port
    configuration.tls = RedisTLS(authorityFile: folder.file("missing.pem"))
    let error = await failure(configuration)
    #expect(error?.code == .invalidConfiguration)
    #expect(error?.reason.contains("missing.pem") == true)

    configuration.tls = RedisTLS(certificateFile: "only.pem")
    #expect(await failure(configuration)?.reason.contains("REDIS_TLS_KEY_FILE") == true)
  }
}
