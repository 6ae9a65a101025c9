import Foundation
import RedisClient

/// A `redis-server` of one test's own, on a free port and with its own folder.
public final class RedisServer: Sendable {
  /// How a server differs from a plain one.
  public enum Option: Sendable {
    /// The password of the `default` user.
    case password(String)
    /// TLS only; with `clients`, which must show a certificate.
    case tls(serverNames: String = "DNS:localhost", clients: Bool = false)
    /// Added to the command line.
    case arguments([String])
    /// Has a configuration file, so that what `CONFIG REWRITE` writes holds after a restart.
    case configurationFile
    /// Does not connect ``RedisServer/connection``.
    case noConnection

    public static var tls: Option { .tls() }
    public static func arguments(_ arguments: String...) -> Option { .arguments(arguments) }
  }

  /// The server of the test that runs, given the trait `.redisServer`.
  @TaskLocal public static var current: RedisServer?

  /// A client connected to ``current`` while the test runs.
  @TaskLocal public static var connection: RedisClient?

  /// The same for the life of this object, also across restarts.
  public let port: Int
  public let certificates: TestCertificates?

  /// For a client to connect by: address, password and authority.
  public let configuration: RedisConfiguration

  /// Holds what the server saves.
  public let folder: TemporaryFolder

  private let arguments: [String]
  private let process = Watched<ChildProcess?>(nil)

  /// Starts a server and waits until it accepts connections.
  public static func start(_ options: [Option] = []) async throws -> RedisServer {
    for _ in 0..<10 {
      let server = try await RedisServer(options, port: freePort())
      do {
        try await server.start()
        return server
      } catch let error as TestSupportError
        where error.description.contains("Address already in use")
      {
        // Another process took the port after it was found free.
        continue
      }
    }
    throw TestSupportError("no free port for redis-server in 10 attempts")
  }

  private init(_ options: [Option], port: Int) async throws {
    self.port = port
    folder = try TemporaryFolder()
    var configuration = RedisConfiguration(host: "127.0.0.1", port: port)
    var arguments = ["--dir", folder.path, "--bind", "127.0.0.1", "-::1", "--save", ""]
    var certificates: TestCertificates?
    var files: [String] = []
    for option in options {
      switch option {
      case .password(let password):
        configuration.password = password
        arguments += ["--requirepass", password]
      case .tls(let serverNames, let clients):
        let made = try await TestCertificates(serverNames: serverNames)
        configuration.endpoints = [RedisEndpoint(host: "localhost", port: port)]
        configuration.tls = RedisTLS(
          authorityFile: made.authorityFile, certificateFile: clients ? made.clientFile : nil,
          keyFile: clients ? made.clientKeyFile : nil)
        arguments += ["--tls-cert-file", made.serverFile, "--tls-key-file", made.serverKeyFile]
        arguments += ["--tls-ca-cert-file", made.authorityFile]
        arguments += ["--tls-auth-clients", clients ? "yes" : "no"]
        certificates = made
      case .arguments(let more): arguments += more
      case .configurationFile:
        let file = folder.file("redis.conf")
        try "".write(toFile: file, atomically: true, encoding: .utf8)
        files = [file]
      case .noConnection: break
      }
    }
    self.certificates = certificates
    self.configuration = configuration
    let ports =
      certificates == nil ? ["--port", "\(port)"] : ["--port", "0", "--tls-port", "\(port)"]
    self.arguments = files + ports + arguments
  }

  /// For programs that take a URL; without the password.
  public var url: String {
    "\(certificates == nil ? "redis" : "rediss")://\(configuration.endpoints[0])"
  }

  /// Starts it again after ``stop()`` or ``kill()``, on the same port.
  public func start() async throws {
    let child = try await ChildProcess.start("redis-server", arguments)
    await process.update { $0 = child }
    do {
      try await child.wait(forOutput: "Ready to accept connections")
    } catch {
      if await child.status.exit == .code(127) {
        throw TestSupportError(
          "redis-server is not installed; install it, on Debian by: apt-get install redis-server")
      }
      throw error
    }
  }

  /// Ends it in an orderly way.
  public func stop() async throws {
    try await process.value?.stop()
  }

  /// Ends it as a power failure would.
  public func kill() async throws {
    await process.value?.send(SIGKILL)
    try await process.value?.waitForExit()
  }

  public func restart() async throws {
    try await stop()
    try await start()
  }

  /// Stops its execution: connections stay open and nothing is answered.
  public func freeze() async {
    await process.value?.send(SIGSTOP)
  }

  /// Ends ``freeze()``.
  public func thaw() async {
    await process.value?.send(SIGCONT)
  }
}
