import RedisClient

extension JobQueue {
  /// Keys of jobs that failed for good, the latest first.
  package func deadLetters(upTo count: Int) async throws -> [String] {
    guard count > 0 else { return [] }
    let reply = try await redis.send(
      RedisCommand(
        "ZRANGE", Keys.deadLetters(of: name), 0, count - 1, "REV", idempotent: true))
    guard let keys = reply.array else { throw unexpected(reply) }
    return keys.map(\.repairedText)
  }

  /// How many jobs failed for good longer ago than `age`.
  package func deadLetterCount(olderThan age: Duration) async throws -> Int {
    let limit = try await redis.serverTime() - (Int(age.wholeMilliseconds) ?? 0)
    return try await redis.send(
      RedisCommand("ZCOUNT", Keys.deadLetters(of: name), "-inf", limit, idempotent: true)
    ).decode()
  }

  /// Forgets jobs that failed for good longer ago than `age`; their hashes stay until they expire.
  ///
  /// - Returns: how many they were.
  package func purgeDeadLetters(olderThan age: Duration) async throws -> Int {
    var total = 0
    // Each call does a bounded part; what fails meanwhile is younger.
    while true {
      let reply = try await run(
        Scripts.purge, keys: [name], arguments: [age.wholeMilliseconds], idempotent: true)
      guard let count = reply.integer else { throw unexpected(reply) }
      total += count
      if count == 0 { return total }
      try Task.checkCancellation()
    }
  }
}
