import RedisClient
import Synchronization
import TestSupport
import Testing

/// Commands under way while the primary changes. One at a time: each has six servers.
@Suite(.serialized) struct SentinelTrafficTests {
  private final class Progress: Sendable {
    let isOver = Atomic(false)
    /// Commands of which nobody knows whether they were executed.
    let unknown = Atomic(0)
  }

  @Test(.redisCluster, arguments: [false, true])
  func `idempotent commands and scripts under way survive a failover`(isFrozen: Bool)
    async throws
  {
    let cluster = try #require(RedisCluster.current)
    var configuration = cluster.configuration
    configuration.commandTimeout = .seconds(60)
    let script = RedisScript("redis.call('SET', KEYS[1], ARGV[1]) return ARGV[1]")
    let progress = Progress()
    try await RedisClient.withClient(configuration) { redis in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for task in 0..<8 {
          group.addTask {
            var number = 0
            while !progress.isOver.load(ordering: .relaxed) {
              number += 1
              if task.isMultiple(of: 2) {
                let reply = try await redis.eval(
                  script, keys: ["key:\(task)"], arguments: [number], idempotent: true)
                #expect(reply.integer == number)
              } else {
                let replies = try await redis.pipeline([
                  RedisCommand("SET", "key:\(task)", number, idempotent: true),
                  RedisCommand("GET", "key:\(task)", idempotent: true),
                ])
                #expect(replies.last?.integer == number)
              }
            }
          }
        }
        group.addTask {
          while !progress.isOver.load(ordering: .relaxed) {
            do {
              try await redis.command("INCR", "counter")
            } catch let error as RedisError {
              #expect(error.code == .connectionLost && error.outcomeUnknown, "\(error)")
              progress.unknown.wrappingAdd(1, ordering: .relaxed)
            }
          }
        }
        group.addTask {
          let old = try await cluster.primary()
          try await eventually("commands are executed") {
            try await redisCLI(port: old.port, "DBSIZE").first.flatMap { Int($0) } ?? 0 >= 9
          }
          if isFrozen { await old.freeze() } else { try await old.kill() }
          try await cluster.waitForFailover(from: old)
          try await waitForPrimary(redis, of: cluster)
          if isFrozen {
            await old.thaw()
            try await cluster.waitUntilReplica(old)
            try await waitForPrimary(redis, of: cluster)
          }
          progress.isOver.store(true, ordering: .relaxed)
        }
        try await group.waitForAll()
      }
    }
    // One command is under way at a time, and one may have been on its way to an old replica.
    #expect(progress.unknown.load(ordering: .relaxed) <= 5)
  }
}
