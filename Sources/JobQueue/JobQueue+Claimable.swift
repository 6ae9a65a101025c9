import RedisClient

extension JobQueue {
  /// Whether a claim would look at a job: one waits, and neither a pause nor the number of jobs in work
  /// keeps it from being taken. A rate limit does not count.
  package func hasClaimableJob() async throws -> Bool {
    let replies = try await redis.pipeline([
      RedisCommand("LLEN", name, idempotent: true),
      RedisCommand("ZCARD", Keys.leases(of: name), idempotent: true),
      RedisCommand(
        "HMGET", Keys.configuration(of: name), "paused", "concurrency", idempotent: true),
    ])
    guard replies.count == 3, let waiting = replies[0].integer, let leased = replies[1].integer,
      let limits = replies[2].array, limits.count == 2
    else { return false }
    let concurrency = limits[1].string.flatMap { Int($0) } ?? .max
    return waiting > 0 && limits[0].isNull && leased < concurrency
  }
}
