import JobQueue
import RedisClient

/// Where jobs stand in their queues, computed when asked for.
enum QueuePosition {
  /// Entries looked at from the running end; jobs further back have no position.
  private static let depth = 10_000

  /// The positions of those that wait; 1 is next.
  ///
  /// A key begins with its queue's name in most cases. That is only a guess, but whoever is found in
  /// the list of that name is in that queue.
  static func find(_ keys: [String], _ redis: RedisClient) async throws -> [String: Int] {
    let candidates = keys.compactMap { key in
      key.firstIndex(of: ":").map { (key: key, queue: String(key[..<$0])) }
    }
    let replies = try await redis.pipeline(
      candidates.flatMap { job in
        [
          RedisCommand("LLEN", job.queue, idempotent: true),
          RedisCommand(
            "LPOS", job.queue, job.key, "RANK", -1, "MAXLEN", depth, idempotent: true),
        ]
      })
    var positions: [String: Int] = [:]
    for (index, job) in candidates.enumerated() where 2 * index + 1 < replies.count {
      // Another type of key under that name gives errors, which are no integers.
      guard let length = replies[2 * index].integer, let place = replies[2 * index + 1].integer
      else { continue }
      positions[job.key] = max(1, length - place)
    }
    return positions
  }
}
