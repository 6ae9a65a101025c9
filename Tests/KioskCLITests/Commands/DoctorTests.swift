import Foundation
import RedisClient
import TestSupport
import Testing

@Suite struct DoctorTests {
  /// Levels by subject.
  private func levels(_ status: ChildProcess.Status) throws -> [String: String] {
    let lines = try jsonLines(status.standardOutput)
    return Dictionary(
      uniqueKeysWithValues: lines.map {
        ($0["subject"] as? String ?? "", $0["level"] as? String ?? "")
      })
  }

  @Test(.redisServer(.arguments("--appendonly", "yes")))
  func `a Redis that is set up well has a line per check and gives 0`() async throws {
    let harness = try KioskHarness()
    let status = try await harness.kiosk("doctor")
    #expect(status.exit == .code(0), "\(status.output)")
    let lines = status.standardOutput.split(separator: "\n").map {
      $0.split(separator: /\ +/, maxSplits: 2).map(String.init)
    }
    #expect(
      lines.map { $0[1] } == [
        "redis", "sentinel", "role", "version", "scripts", "commands", "eviction", "persistence",
        "replication",
        "saving", "memory", "clock", "bucket", "uploads", "output", "result",
      ])
    for line in lines where line[1] != "redis" && line[1] != "memory" {
      #expect(line[0] == "ok", "\(line)")
    }
    #expect(lines[0][2].contains("127.0.0.1:\(harness.server.port)"))
  }

  @Test(.redisServer) func `a bucket that cannot be used fails with a hint`() async throws {
    let harness = try KioskHarness()
    let unknown = try await harness.kiosk("doctor", "--storage-bucket", "az://lab")
    #expect(unknown.exit == .code(1), "\(unknown.output)")
    #expect(unknown.standardOutput.contains(/fail +bucket +STORAGE_BUCKET: .*az.*; correct/))
    #expect(unknown.standardOutput.contains(/ok +redis/))

    let file = "\(harness.folder.path)/file"
    try Data("x".utf8).write(to: URL(filePath: file))
    let noFolder = try await harness.kiosk("doctor", "--storage-bucket", "file://\(file)")
    #expect(noFolder.exit == .code(1), "\(noFolder.output)")
    #expect(noFolder.standardOutput.contains(/fail +bucket +cannot make/))
  }

  @Test(.redisServer) func `settings that lose jobs are warnings with a hint`() async throws {
    let harness = try KioskHarness()
    try await harness.redis.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    let status = try await harness.kiosk("doctor")
    #expect(status.exit == .code(0), "\(status.output)")
    #expect(status.standardOutput.contains(/warn +eviction +allkeys-lru; .*noeviction/))
    #expect(status.standardOutput.contains(/warn +persistence +none; .*appendonly/))
  }

  @Test(.redisServer) func `scripts that are not permitted and full memory fail`() async throws {
    let harness = try KioskHarness()
    try await harness.redis.command("CONFIG", "SET", "maxmemory", 1_200_000)
    try await harness.redis.command(
      "ACL", "SETUSER", "tool", "on", ">p", "~*", "+@all", "-@scripting", "-config")
    let status = try await harness.kiosk(
      "doctor", "--json", environment: ["REDIS_USERNAME": "tool", "REDIS_PASSWORD": "p"])
    #expect(status.exit == .code(1), "\(status.output)")
    let levels = try levels(status)
    #expect(levels["scripts"] == "fail" && levels["settings"] == "warn")
    #expect(levels["redis"] != "fail" && levels["memory"] != "ok")
  }

  @Test(.redisServer) func `a server that hides INFO is said to`() async throws {
    let harness = try KioskHarness()
    try await harness.redis.command(
      "ACL", "SETUSER", "tool", "on", ">p", "~*", "&*", "+@all", "-info")
    let status = try await harness.kiosk(
      "doctor", "--json", environment: ["REDIS_USERNAME": "tool", "REDIS_PASSWORD": "p"])
    #expect(status.exit == .code(0), "\(status.output)")
    let levels = try levels(status)
    for subject in ["role", "version", "saving", "memory"] { #expect(levels[subject] == "warn") }
  }

  @Test(.redisServer) func `a Redis that is not there gives 3`() async throws {
    let harness = try KioskHarness()
    try await harness.server.stop()
    let status = try await harness.kiosk("doctor")
    #expect(status.exit == .code(3))
    #expect(status.standardError.contains("REDIS_HOST"))
  }

  private func doctor(_ sentinels: [String]) async throws -> String {
    let program = try await ChildProcess.start(
      BuiltProduct.path("kiosk"), ["doctor"],
      environment: ["REDIS_HOST": sentinels.joined(separator: ",")])
    #expect(try await program.waitForExit(within: .seconds(60)) == .code(0))
    return await program.status.standardOutput
  }

  @Test(.redisCluster) func `Sentinels and replicas are named`() async throws {
    let cluster = try #require(RedisCluster.current)
    let addresses = cluster.sentinels.map { "\($0.endpoint)" }
    // On a busy machine Sentinels lose sight of one another for a moment.
    try await eventually("all Sentinels reach each other", within: .seconds(60)) {
      try await doctor(addresses).contains(/ok +quorum +3 Sentinels reach/)
    }
    let output = try await doctor(addresses)
    let line = try #require(output.split(separator: "\n").first { $0.contains("sentinel ") })
    #expect(line.hasPrefix("ok") && line.contains("mymaster"))
    for address in addresses { #expect(line.contains(address)) }
    #expect(output.contains("127.0.0.1:\(cluster.servers[0].port)"))
    #expect(output.contains(/ok +replicas +2 in step/))
    #expect(output.contains(/warn +replication +2 replicas, writes need 0; .*set it to 1/))
  }

  @Test(.redisCluster) func `Sentinels that cannot make a failover are a failure`() async throws {
    let cluster = try #require(RedisCluster.current)
    let first = try #require(cluster.sentinels.first)
    for sentinel in cluster.sentinels.dropFirst() { try await sentinel.stop() }
    try await eventually("the Sentinel knows that it is alone") {
      let lines = try await redisCLI(port: first.port, "SENTINEL", "CKQUORUM", "mymaster")
      return lines.first?.hasPrefix("OK") == false
    }
    let program = try await ChildProcess.start(
      BuiltProduct.path("kiosk"), ["doctor"], environment: ["REDIS_HOST": "\(first.endpoint)"])
    #expect(try await program.waitForExit(within: .seconds(60)) == .code(1))
    let output = await program.status.standardOutput
    #expect(output.contains(/fail +quorum .*NOQUORUM.*; start the Sentinels/))
  }
}
