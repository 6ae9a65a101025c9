import JobQueue
import RedisClient
import TestSupport

/// What 100,000 finished jobs leave in Redis once their time is over.
enum Memory {
  private static let count = 100_000
  private static let workers = 16

  static func measure(_ stage: Stage) async throws {
    // Fills what has a bound and stays: the events of a queue, its counters.
    try await run(20_000, stage)
    let before = try await usedMemory(stage)
    try await run(count, stage)
    let after = try await usedMemory(stage)
    let change = (Double(after) / Double(before) - 1) * 100
    row(
      "Redis memory after 100,000 finished jobs and their TTL",
      "\((change * 10).rounded() / 10) % of \(before / 1024) KiB", "+-5 %")
  }

  private static func run(_ count: Int, _ stage: Stage) async throws {
    let queue = JobQueue(
      name: Stage.queue, worker: "worker", redis: stage.redis,
      settings: DeliverySettings(resultLifetime: .seconds(1)))
    for start in stride(from: 0, to: count, by: 500) {
      try await stage.redis.pipeline(
        (start..<start + 500).flatMap { index in
          [
            RedisCommand("HSET", "job \(index)", "status", "new", "input_file_name", "a.tif"),
            RedisCommand("LPUSH", Stage.queue, "job \(index)"),
          ]
        })
    }
    try await withThrowingTaskGroup { group in
      for _ in 0..<workers {
        group.addTask {
          var next = try await queue.claim(upTo: 1).jobs.first
          while let job = next {
            next = try await queue.finish(job, .done, ["output_url": "u"], claiming: 1)
              .next.jobs.first
          }
        }
      }
      try await group.waitForAll()
    }
  }

  /// Bytes in use once everything that expires has.
  private static func usedMemory(_ stage: Stage) async throws -> Int {
    let redis = stage.redis
    // What tells a repeated report is kept for an hour: let it be over.
    var cursor = "0"
    repeat {
      let reply = try await redis.command(
        "SCAN", cursor, "MATCH", Keys.control(of: "*"), "COUNT", 1000)
      guard let parts = reply.array, parts.count == 2, let next = parts[0].string else { break }
      let keys: [String] = try parts[1].decode()
      try await redis.pipeline(keys.map { RedisCommand("PEXPIRE", $0, 1) })
      cursor = next
    } while cursor != "0"
    try await reaches("everything has expired") {
      try await redis.command("DBSIZE").integer ?? 0 < 10
    }
    try await redis.command("MEMORY", "PURGE")
    let text: String = try await redis.command("INFO", "memory").decode()
    return text.firstMatch(of: #/used_memory:(\d+)/#).flatMap { Int($0.1) } ?? 0
  }
}
