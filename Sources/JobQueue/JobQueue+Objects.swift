import RedisClient

/// Objects in the bucket that are of use until a job has ended.
package struct MadeObjects: Sendable, Equatable {
  package let keys: [String]
  /// Whether the results of the job's children are among them, whose keys their hashes tell.
  package let includeResults: Bool

  package init(_ keys: [String], includeResults: Bool = false) {
    self.keys = keys
    self.includeResults = includeResults
  }

  /// Stands for the results; no object's key begins with a slash.
  private static let results = "/results"

  init(text: String) {
    let lines = text.split(separator: "\n").map(String.init)
    self.init(lines.filter { $0 != Self.results }, includeResults: lines.contains(Self.results))
  }

  var text: String { (keys + (includeResults ? [Self.results] : [])).joined(separator: "\n") }
}

/// What is remembered of objects in the bucket that jobs make for their children, so that they are
/// removed also when no consumer sees the job's end.
extension JobQueue {
  /// How long that is at most.
  private static let memory: Duration = .seconds(30 * 86400)

  /// Notes what a job is about to make. It replaces what was noted before.
  package func note(_ objects: MadeObjects, of job: String) async throws {
    try await redis.transaction([
      RedisCommand(
        "SET", Keys.objects(of: job), objects.text, "PX",
        Self.memory.wholeMilliseconds, idempotent: true),
      RedisCommand("ZADD", Keys.objectMakers(of: name), 0, job, idempotent: true),
    ])
  }

  /// What was noted of a job; nil if nothing was.
  package func objects(of job: String) async throws -> MadeObjects? {
    try await redis.send(RedisCommand("GET", Keys.objects(of: job), idempotent: true)).string
      .map(MadeObjects.init(text:))
  }

  /// Forgets what was noted of a job: the objects are gone.
  package func forgetObjects(of job: String) async throws {
    try await redis.transaction([
      RedisCommand("DEL", Keys.objects(of: job), idempotent: true),
      RedisCommand("ZREM", Keys.objectMakers(of: name), job, idempotent: true),
    ])
  }

  /// Jobs that have ended, or whose hashes are gone, but whose objects nobody has removed.
  ///
  /// Looks at some of the queue's jobs, others the next time.
  package func endedObjectMakers() async throws -> [String] {
    let makers = Keys.objectMakers(of: name)
    let reply = try await redis.send(RedisCommand("ZRANGE", makers, 0, 99, idempotent: true))
    let jobs = (reply.array ?? []).map(\.repairedText)
    if jobs.isEmpty { return [] }
    let found = try await fields([Field.status], of: jobs)
    let time = now().microseconds / 1000
    _ = try await redis.pipeline(
      jobs.map { RedisCommand("ZADD", makers, "XX", time, $0, idempotent: true) })
    return Swift.zip(jobs, found).compactMap { job, fields in
      let isLive = fields.map { !JobStatus(rawValue: $0[Field.status] ?? "").isFinal } ?? false
      return isLive ? nil : job
    }
  }

  /// Lets jobs that have ended expire after `lifetime`, unless they do before.
  package func expire(_ jobs: [String], after lifetime: Duration) async throws {
    for start in stride(from: 0, to: jobs.count, by: 100) {
      _ = try await run(
        Scripts.expire, keys: Array(jobs[start..<min(start + 100, jobs.count)]),
        arguments: [max(lifetime, .seconds(1)).wholeSeconds])
    }
  }
}
