import RedisClient

/// Finds out which queue a job belongs to.
///
/// A key does not tell: it is opaque, though most begin with the queue's name. So a queue must have
/// the job, or remember it.
package struct JobLocator: Sendable {
  private let directory: QueueDirectory
  private let redis: RedisClient

  /// Queues asked in one exchange.
  private static let batch = 100
  /// Entries of a queue looked at, from the running end.
  private static let depth = 100_000

  package init(_ directory: QueueDirectory, _ redis: RedisClient) {
    self.directory = directory
    self.redis = redis
  }

  /// The queue that is remembered with a job; nil for one that was not taken by a consumer with
  /// leases lately.
  package static func remembered(of job: String, _ redis: RedisClient) async throws -> String? {
    let reply = try await redis.pipeline([
      RedisCommand("HGET", Keys.control(of: job), "queue", idempotent: true)
    ])
    return reply.first?.string.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The queue of a job; nil if none has it and its key says nothing.
  package func queue(of job: String) async throws -> String? {
    if let queue = try await Self.remembered(of: job, redis) { return queue }
    let known = try await redis.pipeline([
      RedisCommand("HGET", job, Field.updatedBy, idempotent: true)
    ])
    let worker = known[0].string ?? ""

    let guess = job.firstIndex(of: ":").map { String(job[..<$0]) }
    let candidates = (guess.map { [$0] } ?? []) + directory.queues.filter { $0 != guess }
    var rest = candidates[...]
    while !rest.isEmpty {
      let part = Array(rest.prefix(Self.batch))
      rest = rest.dropFirst(part.count)
      let asked = part.map { traces(of: job, in: $0, worker) }
      var replies = try await redis.pipeline(asked.flatMap { $0 })[...]
      for (queue, commands) in zip(part, asked) {
        // Other types under these names give errors, which are no trace.
        let own = replies.prefix(commands.count)
        replies = replies.dropFirst(commands.count)
        if own.contains(where: { !$0.isNull && $0.errorMessage == nil }) { return queue }
      }
    }
    return guess.flatMap { directory.queues.contains($0) ? $0 : nil }
  }

  /// Asks for all places in which a queue keeps jobs.
  private func traces(of job: String, in queue: String, _ worker: String) -> [RedisCommand] {
    let sets = [
      Keys.deadLetters(of: queue), Keys.leases(of: queue), Keys.delayed(in: queue),
      Keys.parked(in: queue), Keys.limbo(of: queue),
    ]
    return sets.map { RedisCommand("ZSCORE", $0, job, idempotent: true) } + [
      RedisCommand("LPOS", queue, job, "RANK", -1, "MAXLEN", Self.depth, idempotent: true),
      RedisCommand(
        "LPOS", Keys.processing(queue: queue, worker: worker), job, idempotent: true),
    ]
  }
}
