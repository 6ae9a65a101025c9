import RedisClient

/// What became of a job that was to be cancelled.
package enum Cancellation: String, Sendable {
  /// It has ended.
  case canceled
  /// Its worker has been told.
  case running
  /// It was over already.
  case ended
  case missing
  /// A consumer that knows no cancellation works on it.
  case elsewhere
  /// Nothing is known of the queue that it belongs to, and it is not in this one.
  case absent
}

/// What became of a job that was to run again.
package enum Requeueing: String, Sendable {
  case requeued = "ok"
  /// It has not ended.
  case live
  case missing
}

/// How many jobs of a queue are where.
package struct QueueCounts: Sendable, Equatable {
  package var waiting = 0
  package var leased = 0
  package var delayed = 0
  package var parked = 0
  package var dead = 0
  package var limbo = 0

  package init() {}
}

extension JobQueue {
  /// Cancels a job; a parked one with its children. A job that is remembered as another queue's is
  /// cancelled there.
  package func cancel(_ job: String, by whom: String = "user") async throws -> Cancellation {
    let reply = try await run(Scripts.cancel, keys: [name, job], arguments: [whom])
    guard let result = Cancellation(rawValue: reply.repairedText) else { throw unexpected(reply) }
    return result
  }

  /// Lets a job that has ended run again, as its producer made it. A job that is remembered as another
  /// queue's goes there.
  package func requeue(_ job: String) async throws -> Requeueing {
    let reply = try await run(
      Scripts.requeue, keys: [name, job], arguments: [], idempotent: false)
    guard let result = Requeueing(rawValue: reply.repairedText) else { throw unexpected(reply) }
    return result
  }

  /// Lets no job begin until ``resume()``. Jobs in work go on.
  package func pause() async throws {
    try await redis.send(
      RedisCommand(
        "HSET", Keys.configuration(of: name), "paused", now().description, idempotent: true))
  }

  package func resume() async throws {
    try await redis.send(
      RedisCommand("HDEL", Keys.configuration(of: name), "paused", idempotent: true))
  }

  package func counts() async throws -> QueueCounts {
    let replies = try await redis.pipeline([
      RedisCommand("LLEN", name, idempotent: true),
      RedisCommand("ZCARD", Keys.leases(of: name), idempotent: true),
      RedisCommand("ZCARD", Keys.delayed(in: name), idempotent: true),
      RedisCommand("ZCARD", Keys.parked(in: name), idempotent: true),
      RedisCommand("ZCARD", Keys.deadLetters(of: name), idempotent: true),
      RedisCommand("ZCARD", Keys.limbo(of: name), idempotent: true),
    ])
    let numbers = try replies.map { reply in
      guard let number = reply.integer else { throw unexpected(reply) }
      return number
    }
    var counts = QueueCounts()
    counts.waiting = numbers[0]
    counts.leased = numbers[1]
    counts.delayed = numbers[2]
    counts.parked = numbers[3]
    counts.dead = numbers[4]
    counts.limbo = numbers[5]
    return counts
  }
}

extension JobQueue {
  /// Calls `body` with each running job of the queue that somebody cancels, until the task is
  /// cancelled. Messages can be missed; heartbeats tell the same later.
  package func withCancellations(_ body: @Sendable (String) -> Void) async throws {
    try await redis.withSubscription(to: [Keys.cancellations(in: name)]) { events in
      for try await event in events {
        if case .message(let message) = event, let job = message.text { body(job) }
      }
    }
  }
}
