import Foundation
import RedisClient

/// A Redis Sentinel of one test's own, on a free port.
public final class SentinelServer: Sendable {
  /// A primary to watch.
  public struct Watch: Sendable {
    public var name = "mymaster"
    public var host = "127.0.0.1"
    public var port: Int
    public var quorum = 1
    /// Other lines, as `down-after-milliseconds 500`.
    public var options: [String] = []

    public init(
      _ name: String = "mymaster", host: String = "127.0.0.1", port: Int, quorum: Int = 1,
      options: [String] = []
    ) {
      (self.name, self.host, self.port) = (name, host, port)
      (self.quorum, self.options) = (quorum, options)
    }
  }

  public let port: Int
  private let folder: TemporaryFolder
  private let process = Watched<ChildProcess?>(nil)

  /// For a client that is to ask this Sentinel.
  public var configuration: RedisConfiguration { RedisConfiguration(endpoints: [endpoint]) }
  public var endpoint: RedisEndpoint { RedisEndpoint(host: "127.0.0.1", port: port) }

  /// - Parameter settings: further lines of the configuration file.
  public init(
    port: Int, watching watches: [Watch], settings: [String] = []
  ) throws {
    self.port = port
    folder = try TemporaryFolder()
    var lines = ["port \(port)", "bind 127.0.0.1", "dir \(folder.path)"] + settings
    for watch in watches {
      lines.append("sentinel monitor \(watch.name) \(watch.host) \(watch.port) \(watch.quorum)")
      for option in watch.options {
        // The name comes after the option's own.
        let words = option.split(separator: " ", maxSplits: 1)
        lines.append("sentinel \(words[0]) \(watch.name) \(words[1])")
      }
    }
    // Sentinel keeps what it learns in this file.
    try (lines.joined(separator: "\n") + "\n").write(
      toFile: folder.file("sentinel.conf"), atomically: true, encoding: .utf8)
  }

  /// Starts one on a free port.
  public static func start(
    watching watches: Watch..., settings: [String] = []
  ) async throws -> SentinelServer {
    let server = try SentinelServer(port: freePort(), watching: watches, settings: settings)
    try await server.start()
    return server
  }

  public func start() async throws {
    let child = try await ChildProcess.start(
      "redis-server", [folder.file("sentinel.conf"), "--sentinel"])
    await process.update { $0 = child }
    try await child.wait(forOutput: "Sentinel ID is")
  }

  public func stop() async throws { try await process.value?.stop() }

  /// Ends it as a power failure would.
  public func kill() async throws {
    await process.value?.send(SIGKILL)
    try await process.value?.waitForExit()
  }

  /// Stops its execution: connections stay open and nothing is answered.
  public func freeze() async { await process.value?.send(SIGSTOP) }

  /// Ends ``freeze()``.
  public func thaw() async { await process.value?.send(SIGCONT) }

  public var isRunning: Bool {
    get async { await process.value?.status.exit == nil }
  }
}

/// Sends a command to a server of any role, by `redis-cli`, and returns the lines of the reply.
@discardableResult
public func redisCLI(port: Int, _ arguments: String...) async throws -> [String] {
  let text = try await runTool("redis-cli", ["-h", "127.0.0.1", "-p", "\(port)"] + arguments)
  return text.split(whereSeparator: \.isNewline).map(String.init)
}
