import Foundation
import RedisClient
import TestSupport

/// What happens to Redis and to the way there. One at a time: with two servers lost at once,
/// nothing can be promised that only they had.
enum ServerFault: String, CaseIterable, Sendable {
  case failOver = "failovers asked for"
  case killPrimary = "primaries killed"
  case freezePrimary = "primaries frozen until replaced"
  case partition = "primaries cut off until replaced"
  case restartPrimary = "primaries restarted"
  case killReplica = "replicas killed"
  case fillMemory = "times Redis's memory was full"
  case refuseWrites = "times Redis wanted more replicas"
  case hang = "times the network hung"

  /// Whether what the primary accepted last may be gone afterwards.
  private var mayLose: Bool {
    switch self {
    case .failOver, .killPrimary, .freezePrimary, .partition, .restartPrimary: true
    default: false
    }
  }

  /// Strikes, and waits until everything is well again.
  func strike(_ stage: Stage, _ dice: Dice, _ losses: Losses) async throws {
    stage.tally.add(rawValue)
    let cluster = stage.cluster
    let primary = try await cluster.primary()
    let proxy = cluster.proxies[cluster.servers.firstIndex { $0 === primary } ?? 0]
    if mayLose { losses.begin() }
    switch self {
    case .failOver: try await cluster.failOver()
    case .killPrimary:
      try await primary.kill()
      try await cluster.waitForFailover(from: primary)
      try await primary.start()
    case .freezePrimary:
      await primary.freeze()
      do {
        try await cluster.waitForFailover(from: primary)
      } catch {
        await primary.thaw()
        throw error
      }
      try? await Task.sleep(for: dice.milliseconds(0...500))
      await primary.thaw()
    case .partition:
      proxy.freeze()
      defer {
        proxy.thaw()
        proxy.cut()
      }
      try await cluster.waitForFailover(from: primary)
    case .restartPrimary: try await primary.restart()
    case .killReplica:
      guard let replica = dice.pick(cluster.servers.filter { $0 !== primary }) else { return }
      try await replica.kill()
      try? await Task.sleep(for: dice.milliseconds(0...1000))
      try await replica.start()
    case .fillMemory:
      try await redisCLI(port: primary.port, "CONFIG", "SET", "maxmemory", "1")
      try? await Task.sleep(for: dice.milliseconds(200...2500))
      try await redisCLI(port: primary.port, "CONFIG", "SET", "maxmemory", "0")
    case .refuseWrites:
      try await redisCLI(port: primary.port, "CONFIG", "SET", "min-replicas-to-write", "5")
      try? await Task.sleep(for: dice.milliseconds(200...2500))
      try await redisCLI(port: primary.port, "CONFIG", "SET", "min-replicas-to-write", "1")
    case .hang:
      // Too short for the Sentinels. What was on its way is lost, and so are the connections.
      proxy.freeze()
      try? await Task.sleep(for: dice.milliseconds(50...500))
      proxy.thaw()
      proxy.cut()
    }
    try await Self.waitUntilWell(stage)
    if mayLose { losses.end() }
  }

  /// Waits until one server is the primary to all Sentinels and the others follow it.
  static func waitUntilWell(_ stage: Stage) async throws {
    let cluster = stage.cluster
    try await eventually("Redis is well again", within: .seconds(120)) {
      guard let primary = try? await cluster.primary(),
        let role = try? await redisCLI(port: primary.port, "INFO", "replication"),
        role.contains("role:master"),
        role.count(where: { $0.hasPrefix("slave") && $0.contains("state=online") })
          == cluster.servers.count - 1
      else {
        try await Task.sleep(for: .milliseconds(100))
        return false
      }
      return true
    }
  }
}
