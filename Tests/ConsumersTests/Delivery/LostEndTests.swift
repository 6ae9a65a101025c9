import ConsumerTestSupport
import JobQueue
import Logging
import RedisClient
import TestSupport
import Testing

/// Redis confirms the end of a job and loses it: replication is asynchronous, and so is saving.
@Suite struct LostEndTests {
  @Test(.redisCluster { $0.downAfter = .seconds(1) })
  func `an end that a failover lost is written again and the job runs once`() async throws {
    let cluster = try #require(RedisCluster.current)
    let quiet = Logger(label: "redis") { _ in SwiftLogNoOpLogHandler() }
    try await RedisClient.withClient(cluster.configuration, logger: quiet) { redis in
      let harness = try ConsumerHarness(redis: redis)
      let key = try await harness.submit()
      try await harness.withService(GatedConsumer.self) { _ in
        try await eventually("the job is in work") { await GatedConsumer.runs(of: key) == 1 }
        let mark = RedisCommand("SET", "mark", "1")
        let written = try await redis.replicated(mark, to: 2, within: .seconds(10))
        #expect(written.replicaCount == 2)

        // From here on the replicas are told nothing, and cannot come back.
        let old = try await cluster.primary()
        try await redisCLI(port: old.port, "ACL", "SETUSER", "default", "-psync", "-sync")
        try await redisCLI(port: old.port, "CLIENT", "KILL", "TYPE", "replica")
        await GatedConsumer.release(key)
        try await eventually("the job has ended") {
          try await redisCLI(port: old.port, "HGET", key, "status") == ["done"]
        }
        for server in cluster.servers where server !== old {
          #expect(try await redisCLI(port: server.port, "HGET", key, "status") == ["started"])
        }
        try await old.kill()

        let new = try await cluster.waitForFailover(from: old)
        try await eventually("the new primary has the end") {
          try await redisCLI(port: new.port, "HGET", key, "status") == ["done"]
        }
      }
      #expect(await GatedConsumer.runs(of: key) == 1)
      #expect(try await harness.list("predict").isEmpty)
      #expect(try await harness.list(harness.processing).isEmpty)
      #expect(try await harness.events(of: key) == ["submitted", "started", "done"])
      #expect(harness.log.text.contains("event=end_resent"))
    }
  }

  @Test(.redisServer, arguments: ["done", "failed"])
  func `an end that a restart lost is written again and the job runs once`(
    status: String
  ) async throws {
    let harness = try ConsumerHarness()
    let server = try #require(RedisServer.current)
    let key = try await harness.submit(fields: ["fails": status == "failed" ? "yes" : "no"])
    try await harness.withService(GatedConsumer.self) { _ in
      try await eventually("the job is in work") { await GatedConsumer.runs(of: key) == 1 }
      try await harness.redis.command("SAVE")
      await GatedConsumer.release(key)
      _ = try await harness.end(of: key)
      try await server.kill()
      try await server.start()
      #expect(try await harness.end(of: key)["status"] == status)
    }
    #expect(await GatedConsumer.runs(of: key) == 1)
    #expect(try await harness.list("predict").isEmpty)
    #expect(try await harness.list(harness.processing).isEmpty)
    #expect(try await harness.events(of: key) == ["submitted", "started", status])
    let isDead = try await harness.context.queue.deadLetters(upTo: 9) == [key]
    #expect(isDead == (status == "failed"))
    #expect(harness.log.text.contains("event=end_resent"))
  }

  @Test(.redisServer)
  func `an end that was lost with its claim is refused, and the job runs again`()
    async throws
  {
    let harness = try ConsumerHarness()
    let server = try #require(RedisServer.current)
    let key = try await harness.submit()
    try await harness.redis.command("SAVE")
    await GatedConsumer.release(key)
    try await harness.withService(GatedConsumer.self) { _ in
      _ = try await harness.end(of: key)
      try await server.kill()
      try await server.start()
      #expect(try await harness.end(of: key)["status"] == "done")
      try await eventually("the loss was noticed") {
        harness.log.text.contains("event=end_lost")
      }
    }
    #expect(await GatedConsumer.runs(of: key) == 2)
    #expect(try await harness.events(of: key) == ["submitted", "started", "done"])
  }

  @Test(.redisServer) func `ends that Redis has are not written again`() async throws {
    let harness = try ConsumerHarness()
    let key = try await harness.submit()
    await GatedConsumer.release(key)
    try await harness.withService(GatedConsumer.self) { _ in
      _ = try await harness.end(of: key)
      let before = try await harness.redis.command("DUMP", key)
      let number = harness.redis.connectionNumber
      _ = try? await harness.redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no")
      _ = await harness.redis.connection(after: number)
      // Drained services have sent all again.
      #expect(try await harness.redis.command("DUMP", key) == before)
    }
    #expect(try await harness.events(of: key) == ["submitted", "started", "done"])
    #expect(!harness.log.text.contains("end_resent") && !harness.log.text.contains("end_lost"))
  }
}

extension ConsumerHarness {
  /// What happened to a job, in order.
  func events(of key: String) async throws -> [String] {
    let entries = try await redis.command("XRANGE", Keys.events(of: Self.queue), "-", "+")
    return try (entries.array ?? []).compactMap { entry in
      let fields: [String: String] = try #require(entry.array?.last).decode()
      return fields["job"] == key ? fields["event"] : nil
    }
  }
}
