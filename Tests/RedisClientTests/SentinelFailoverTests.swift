import RedisClient
import TestSupport
import Testing

/// Waits until the primary answers.
func ping(_ redis: RedisClient) async throws {
  try await redis.send(RedisCommand("PING", idempotent: true), timeout: .seconds(60))
}

/// The port of the server that a client is connected to.
func port(_ redis: RedisClient) async throws -> Int? {
  let reply = try await redis.send(
    RedisCommand("CONFIG", "GET", "port", idempotent: true), timeout: .seconds(60))
  return reply.array?.last?.integer
}

/// Waits until a client is connected to the primary. On a busy machine the Sentinels may change it twice.
func waitForPrimary(_ redis: RedisClient, of cluster: RedisCluster) async throws {
  try await eventually("the client is connected to the primary", within: .seconds(60)) {
    try await port(redis) == cluster.primary().port
  }
}

/// A client that has little to do while the primary changes. One at a time: each has six servers.
@Suite(.serialized) struct SentinelFailoverTests {
  @Test(.redisCluster) func `an idle client finds the new primary, also when the old one is back`()
    async throws
  {
    let cluster = try #require(RedisCluster.current)
    let log = RecordedLog()
    try await RedisClient.withClient(cluster.configuration, logger: log.logger) { redis in
      let written = try await redis.replicated(
        RedisCommand("SET", "a", "kept"), to: 2, within: .seconds(30))
      #expect(written.replicaCount == 2)
      let old = try await cluster.killPrimary()
      let value = try await redis.send(
        RedisCommand("GET", "a", idempotent: true), timeout: .seconds(60))
      #expect(value == "kept")
      try await cluster.waitForFailover(from: old)
      try await waitForPrimary(redis, of: cluster)

      try await old.start()
      try await cluster.waitUntilReplica(old)
      try await redis.send(RedisCommand("SET", "b", 1, idempotent: true), timeout: .seconds(60))
      try await waitForPrimary(redis, of: cluster)
    }
    // Once for each change, however often it was tried. On a busy machine there may be a second one.
    let changes = log.count { $0.hasPrefix("info: the Sentinels name the primary") } - 1
    #expect(changes >= 1, "\(log.text)")
    #expect(log.count { $0.hasPrefix("warning: not connected") } == changes, "\(log.text)")
  }

  @Test(.redisCluster) func `a client that waits for a push gets it from the new primary`()
    async throws
  {
    let cluster = try #require(RedisCluster.current)
    try await RedisClient.withClient(cluster.configuration) { redis in
      for isPlanned in [true, false] {
        let failures = Watched(0)
        let waiting = Task {
          while true {
            do {
              let command = RedisCommand("BLMOVE", "q", "q", "RIGHT", "RIGHT", 50)
              let reply = try await redis.blocking(command, timeout: .seconds(60))
              if !reply.isNull { return reply }
            } catch let error as RedisError where error.isRetryable {
              await failures.update { $0 += 1 }
            }
          }
        }
        defer { waiting.cancel() }
        try await ping(redis)
        let primary = try await cluster.primary()
        try await eventually("a client is blocked") {
          try await redisCLI(port: primary.port, "INFO", "clients").contains {
            $0.hasPrefix("blocked_clients:1")
          }
        }
        if isPlanned {
          try await cluster.failOver()
        } else {
          try await cluster.killPrimary()
        }
        try await cluster.waitForFailover(from: primary)
        // The old one may still serve those who have not heard of it.
        try await waitForPrimary(redis, of: cluster)
        try await redis.send(RedisCommand("LPUSH", "q", "job"), timeout: .seconds(60))
        let reply = try await within(.seconds(60), "taking the job") { try await waiting.value }
        #expect(reply == "job")
        // One for the connection it had, few for those that came too early.
        #expect((1...10).contains(await failures.value))
        try await redis.command("DEL", "q")
      }
    }
  }

  @Test(.redisCluster) func `a subscription moves to the new primary`() async throws {
    let cluster = try #require(RedisCluster.current)
    try await RedisClient.withClient(cluster.configuration) { redis in
      try await redis.withSubscription(to: ["news"]) { events in
        var iterator = events.makeAsyncIterator()
        let old = try await cluster.failOver()
        #expect(try await iterator.next() == .reconnected)
        try await cluster.waitForFailover(from: old)
        try await eventually("the subscriber is at the new primary", within: .seconds(60)) {
          let new = try await cluster.primary()
          return try await redisCLI(port: new.port, "PUBSUB", "NUMSUB", "news").last == "1"
        }
        try await redis.send(RedisCommand("PUBLISH", "news", "moved"), timeout: .seconds(60))
        var event = try await iterator.next()
        while event == .reconnected { event = try await iterator.next() }
        guard case .message(let message) = event else {
          Issue.record("got \(String(describing: event))")
          return
        }
        #expect(message.text == "moved")
      }
    }
  }

  @Test(
    .redisCluster { settings in
      (settings.replicas, settings.sentinels) = (1, 1)
      settings.sentinelLines = ["user default on nopass ~* &* +@all -subscribe"]
    }) func `a Sentinel that takes no subscriptions is asked instead`() async throws
  {
    let cluster = try #require(RedisCluster.current)
    let log = RecordedLog()
    try await RedisClient.withClient(cluster.configuration, logger: log.logger) { redis in
      try await ping(redis)
      try await cluster.failOver()
      try await waitForPrimary(redis, of: cluster)
    }
    #expect(log.count { $0.contains("no Sentinel names") } == 0)
    #expect(log.count { $0.contains("NOPERM") } > 0)
  }

  @Test(.redisCluster) func `the loss of the only configured Sentinel is survived`() async throws {
    let cluster = try #require(RedisCluster.current)
    let log = RecordedLog()
    let configuration = cluster.sentinels[0].configuration
    try await RedisClient.withClient(configuration, logger: log.logger) { redis in
      try await ping(redis)
      try await cluster.sentinels[0].kill()
      let old = try await cluster.killPrimary()
      try await cluster.waitForFailover(from: old)
      try await waitForPrimary(redis, of: cluster)
    }
    #expect(log.count { $0.contains("no Sentinel names") } == 0)
  }

  @Test(
    .redisCluster { settings in (settings.usesProxy, settings.downAfter) = (true, .seconds(60)) })
  func `without Sentinels the last primary is used while it says it is one`() async throws {
    let cluster = try #require(RedisCluster.current)
    let proxy = try #require(cluster.proxy)
    let log = RecordedLog()
    try await RedisClient.withClient(cluster.configuration, logger: log.logger) { redis in
      try await ping(redis)
      for (index, sentinel) in cluster.sentinels.enumerated() {
        if index == 1 { await sentinel.freeze() } else { try await sentinel.kill() }
        try await redis.command("INCR", "n")
        proxy.cut()
        try await ping(redis)
      }
      try await redis.command("INCR", "n")
      try await eventually("the loss is told") { log.text.contains("no Sentinel names") }
      try await cluster.sentinels[2].start()
      try await eventually("the return is told") {
        log.text.contains("a Sentinel names the primary again")
      }
    }
    #expect(log.count { $0.contains("no Sentinel names") } == 1, "\(log.text)")
  }
}
