import RedisClient

/// One primary with replicas and the Sentinels that watch them, all of one test's own.
public final class RedisCluster: Sendable {
  public struct Settings: Sendable {
    public var replicas = 2
    public var sentinels = 3
    /// How long a server is silent before a Sentinel takes it for dead.
    public var downAfter: Duration = .seconds(1)
    /// Whether the Sentinels and their clients reach the first primary through ``RedisCluster/proxy``.
    public var usesProxy = false
    /// Whether everybody, the other servers included, reaches each server through a proxy of its
    /// own, also after restarts and failovers: see ``RedisCluster/proxies``.
    public var usesProxies = false
    /// Whether addresses are announced as host names.
    public var announcesNames = false
    /// Added to the servers' command lines.
    public var arguments: [String] = []
    /// Further lines of the Sentinels' configuration files.
    public var sentinelLines: [String] = []

    public init() {}
  }

  /// The cluster of the test that runs, given the trait `.redisCluster`.
  @TaskLocal public static var current: RedisCluster?

  /// The first of them starts as the primary.
  public let servers: [RedisServer]
  public let sentinels: [SentinelServer]
  /// Before the first primary, if the settings say so.
  public let proxy: TestProxy?
  /// One before each server, in their order, if the settings say so; else empty.
  public let proxies: [TestProxy]

  /// For a client that asks the Sentinels.
  public var configuration: RedisConfiguration {
    RedisConfiguration(endpoints: sentinels.map(\.endpoint))
  }

  /// Starts all and waits until a failover could happen.
  public static func start(_ settings: Settings = Settings()) async throws -> RedisCluster {
    let fixed =
      ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"]
      + (settings.announcesNames ? ["--replica-announce-ip", "localhost"] : [])
      + settings.arguments
    if settings.usesProxies { return try await startBehindProxies(settings, fixed) }
    let primary = try await RedisServer.start([.arguments(fixed)])
    var servers = [primary]
    for _ in 0..<settings.replicas {
      servers.append(
        try await RedisServer.start([
          .arguments(fixed + ["--replicaof", "127.0.0.1", "\(primary.port)"])
        ]))
    }
    let proxy = settings.usesProxy ? try await TestProxy(to: primary.port) : nil
    let sentinels = try await startSentinels(
      settings, primaryPort: proxy?.port ?? primary.port,
      replicaPorts: servers.dropFirst().map(\.port))
    let cluster = RedisCluster(servers, sentinels, proxy, [])
    try await cluster.waitUntilSettled()
    return cluster
  }

  /// Servers that are known to everybody by the ports of their proxies, which they announce. Roles
  /// and announcements stand in configuration files: what Sentinels write there outlives a server.
  private static func startBehindProxies(
    _ settings: Settings, _ arguments: [String]
  ) async throws -> RedisCluster {
    var servers: [RedisServer] = []
    var proxies: [TestProxy] = []
    for _ in 0...settings.replicas {
      let server = try await RedisServer.start([.configurationFile, .arguments(arguments)])
      let proxy = try await TestProxy(to: server.port)
      var commands = [
        ["CONFIG", "SET", "replica-announce-ip", "127.0.0.1"],
        ["CONFIG", "SET", "replica-announce-port", "\(proxy.port)"],
      ]
      if let primary = proxies.first {
        commands.append(["REPLICAOF", "127.0.0.1", "\(primary.port)"])
      }
      for command in commands + [["CONFIG", "REWRITE"]] {
        let reply = try await runTool("redis-cli", ["-p", "\(server.port)"] + command)
        guard reply.hasPrefix("OK") else { throw TestSupportError("\(command): \(reply)") }
      }
      servers.append(server)
      proxies.append(proxy)
    }
    let sentinels = try await startSentinels(
      settings, primaryPort: proxies[0].port, replicaPorts: proxies.dropFirst().map(\.port))
    let cluster = RedisCluster(servers, sentinels, nil, proxies)
    try await cluster.waitUntilSettled()
    return cluster
  }

  private init(
    _ servers: [RedisServer], _ sentinels: [SentinelServer], _ proxy: TestProxy?,
    _ proxies: [TestProxy]
  ) {
    (self.servers, self.sentinels, self.proxy, self.proxies) = (servers, sentinels, proxy, proxies)
  }

  /// They know each other from the start: finding each other would take seconds.
  private static func startSentinels(
    _ settings: Settings, primaryPort: Int, replicaPorts: [Int]
  ) async throws -> [SentinelServer] {
    let count = settings.sentinels
    let ports = try (0..<count).map { _ in try freePort() }
    let identifiers = (0..<count).map { String(repeating: "\($0 + 1)", count: 40) }
    let host = settings.announcesNames ? "localhost" : "127.0.0.1"
    var sentinels: [SentinelServer] = []
    for index in 0..<count {
      var options = [
        "down-after-milliseconds \(Int(settings.downAfter / .milliseconds(1)))",
        "failover-timeout 3000", "parallel-syncs \(max(replicaPorts.count, 1))",
      ]
      options += replicaPorts.map { "known-replica \(host) \($0)" }
      for other in 0..<count where other != index {
        options.append("known-sentinel 127.0.0.1 \(ports[other]) \(identifiers[other])")
      }
      var lines = ["sentinel myid \(identifiers[index])"] + settings.sentinelLines
      if settings.announcesNames {
        lines += ["sentinel resolve-hostnames yes", "sentinel announce-hostnames yes"]
      }
      let watch = SentinelServer.Watch(
        host: host, port: primaryPort, quorum: count / 2 + 1, options: options)
      sentinels.append(try SentinelServer(port: ports[index], watching: [watch], settings: lines))
    }
    for sentinel in sentinels { try await sentinel.start() }
    return sentinels
  }

  /// Ends all processes.
  public func stop() async throws {
    for sentinel in sentinels { try await sentinel.stop() }
    for server in servers { try await server.stop() }
  }

  // MARK: The primary

  /// The server that the first Sentinel to answer takes for the primary.
  public func primary() async throws -> RedisServer {
    for sentinel in sentinels where await sentinel.isRunning {
      guard
        let lines = try? await redisCLI(
          port: sentinel.port, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster"),
        lines.count == 2, let port = Int(lines[1])
      else { continue }
      if port == proxy?.port { return servers[0] }
      if let index = proxies.firstIndex(where: { $0.port == port }) { return servers[index] }
      if let server = servers.first(where: { $0.port == port }) { return server }
    }
    throw TestSupportError("no Sentinel knows the primary")
  }

  /// Waits until the Sentinels have made another server the primary, and returns it.
  @discardableResult
  public func waitForFailover(
    from old: RedisServer, within limit: Duration = .seconds(60)
  ) async throws -> RedisServer {
    try await eventually("another server is the primary", within: limit) {
      try await self.primary() !== old
    }
    return try await primary()
  }

  /// Ends the primary as a power failure would, and returns it.
  @discardableResult
  public func killPrimary() async throws -> RedisServer {
    let old = try await primary()
    try await old.kill()
    return old
  }

  /// Makes the Sentinels change the primary although it works; returns the old one.
  @discardableResult
  public func failOver() async throws -> RedisServer {
    let old = try await primary()
    try await eventually("a Sentinel begins the failover") {
      // Refused while another is under way, or no replica is fit for it yet.
      let lines = try await redisCLI(
        port: self.sentinels[0].port, "SENTINEL", "FAILOVER", "mymaster")
      if lines.first == "OK" { return true }
      return try await self.primary() !== old
    }
    try await waitForFailover(from: old)
    return old
  }

  /// Waits until a server follows the primary, as after it came back.
  public func waitUntilReplica(
    _ server: RedisServer, within limit: Duration = .seconds(60)
  ) async throws {
    try await eventually("\(server.port) is a replica", within: limit) {
      let role = try? await redisCLI(port: server.port, "ROLE")
      return role?.first == "slave" && role?.contains("connected") == true
    }
  }

  /// Waits until all replicas are in step and every Sentinel sees the others and them.
  private func waitUntilSettled() async throws {
    for server in servers.dropFirst() { try await waitUntilReplica(server) }
    for sentinel in sentinels {
      try await eventually("Sentinel \(sentinel.port) is ready for a failover") {
        let quorum = try await redisCLI(port: sentinel.port, "SENTINEL", "CKQUORUM", "mymaster")
        let replicas = try await redisCLI(port: sentinel.port, "SENTINEL", "REPLICAS", "mymaster")
        let ready = zip(replicas, replicas.dropFirst()).count { name, value in
          name == "master-link-status" && value == "ok"
        }
        return quorum.first?.hasPrefix("OK \(self.sentinels.count) ") == true
          && ready == self.servers.count - 1
      }
    }
  }
}
