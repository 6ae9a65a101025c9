import RedisClient

/// How a queue stands.
package struct QueueOverview: Sendable {
  package let queue: String
  package var waiting = 0
  /// In the hands of consumers of all kinds.
  package var processing = 0
  package var delayed = 0
  package var parked = 0
  package var dead = 0
  /// Consumers of ours that were heard of lately.
  package var workers = 0
  package var isPaused = false
  /// Jobs that may be in work at a time; nil: any number.
  package var concurrencyLimit: Int?
  /// Jobs that may begin per second; nil: any number.
  package var rateLimit: Double?
  /// Age of the job next in line; nil without one, or if it does not say when it was made.
  package var oldestAge: Duration?
  /// Jobs that ended per minute, lately; nil if none did.
  package var endsPerMinute: Double?

  package var backlog: Int { waiting + processing }

  /// Until all that wait or run now have ended at the present rate; nil when nothing moves.
  package var timeToEmpty: Duration? {
    if backlog == 0 { return .zero }
    guard let endsPerMinute, endsPerMinute > 0, !isPaused else { return nil }
    return .seconds(60 * Double(backlog) / endsPerMinute)
  }
}

extension QueueOverview {
  /// A worker that was silent for longer counts as gone.
  package static let workerSilence: Duration = .seconds(30)
  /// Ends in this time make the rate.
  private static let rateWindow = 600_000
  /// A shorter time does not tell a rate.
  private static let shortestWindow = 60_000
  /// Events looked at for it.
  private static let eventLimit = 2000

  /// How the queues stand, in the order of their names given.
  package static func read(
    _ queues: [String], _ directory: QueueDirectory, _ redis: RedisClient
  ) async throws -> [QueueOverview] {
    let now = try await redis.serverTime()
    var overviews: [QueueOverview] = []
    for queue in queues {
      overviews.append(try await read(queue, directory, redis, now: now))
    }
    return overviews
  }

  private static func read(
    _ queue: String, _ directory: QueueDirectory, _ redis: RedisClient, now: Int
  ) async throws -> QueueOverview {
    let lists = directory.processingLists[queue] ?? []
    let silent = now - Int(workerSilence.components.seconds) * 1000
    let replies = try await redis.pipeline(
      [
        RedisCommand("LLEN", queue, idempotent: true),
        RedisCommand("ZCARD", Keys.delayed(in: queue), idempotent: true),
        RedisCommand("ZCARD", Keys.parked(in: queue), idempotent: true),
        RedisCommand("ZCARD", Keys.deadLetters(of: queue), idempotent: true),
        RedisCommand("ZCOUNT", Keys.workers(of: queue), silent, "+inf", idempotent: true),
        RedisCommand(
          "HMGET", Keys.configuration(of: queue), "paused", "concurrency", "rate",
          idempotent: true),
        RedisCommand("LINDEX", queue, -1, idempotent: true),
        RedisCommand(
          "XREVRANGE", Keys.events(of: queue), "+", max(0, now - rateWindow), "COUNT", eventLimit,
          idempotent: true),
      ] + lists.map { RedisCommand("LLEN", $0, idempotent: true) })
    // A key of another type counts as empty: a look at a queue is to work when it is out of order.
    var overview = QueueOverview(queue: queue)
    overview.waiting = replies[0].integer ?? 0
    overview.delayed = replies[1].integer ?? 0
    overview.parked = replies[2].integer ?? 0
    overview.dead = replies[3].integer ?? 0
    overview.workers = replies[4].integer ?? 0
    let limits = replies[5].array ?? []
    if limits.count == 3 {
      overview.isPaused = !limits[0].isNull
      overview.concurrencyLimit = limits[1].integer
      overview.rateLimit = limits[2].string.flatMap { Double($0) }
    }
    if let next = replies[6].bytes { overview.oldestAge = try await age(of: next, redis, now) }
    overview.endsPerMinute = rate(of: replies[7].array ?? [], now)
    overview.processing = replies[8...].reduce(0) { $0 + ($1.integer ?? 0) }
    return overview
  }

  private static func age(
    of job: [UInt8], _ redis: RedisClient, _ now: Int
  ) async throws -> Duration? {
    let reply = try await redis.pipeline([
      RedisCommand("HGET", job, Field.createdAt, idempotent: true)
    ]).first
    guard let created = reply?.string.flatMap({ Timestamp($0) }) else { return nil }
    return .milliseconds(max(0, now - created.microseconds / 1000))
  }

  /// - Parameter events: the latest first.
  private static func rate(of events: [RedisValue], _ now: Int) -> Double? {
    let ends = events.count { JobEvent($0)?.isEnd == true }
    guard ends > 0, let first = events.last.flatMap({ JobEvent($0) }) else { return nil }
    let window = min(max(now - first.time, shortestWindow), rateWindow)
    return Double(ends) * 60_000 / Double(window)
  }
}

extension RedisClient {
  /// Milliseconds since 1970 by the server's clock, which all of a queue's times are measured by.
  package func serverTime() async throws -> Int {
    let parts: [Int] = try await send(RedisCommand("TIME", idempotent: true)).decode()
    guard parts.count == 2 else {
      throw RedisError(.unexpectedReply, command: "TIME", reason: "it is not two numbers")
    }
    return parts[0] * 1000 + parts[1] / 1000
  }
}
