import RedisClient

/// What consumers ask of Redis for their jobs beside delivery.
extension JobQueue {
  /// Makes a job for the sake of another, once however often it is asked for.
  ///
  /// - Parameters:
  ///   - name: tells it from others that `maker` makes.
  ///   - maker: key of the job that it is made for.
  /// - Returns: its key.
  package func submit(
    _ submission: JobSubmission, named name: String, from maker: String
  ) async throws -> String {
    let key = Keys.derived(
      queue: submission.list, name: submission.originalName, from: maker, by: "job \(name)")
    return try await submission.submit(to: redis, as: key, submitter: worker, settings: settings)
  }

  /// Fields of many jobs, in the order of their keys; nil for one whose hash is gone.
  ///
  /// - Parameter names: of the fields, of which absent ones are left out.
  package func fields(
    _ names: [String], of jobs: [String]
  ) async throws -> [[String: String]?] {
    var found: [[String: String]?] = []
    found.reserveCapacity(jobs.count)
    // Bounded, so that no reply holds up those of other jobs for long.
    for start in stride(from: 0, to: jobs.count, by: 500) {
      let commands = jobs[start..<min(start + 500, jobs.count)].map {
        RedisCommand("HMGET", arguments: [$0] + names, idempotent: true)
      }
      for reply in try await redis.pipeline(commands) {
        // An error is a key of another type, which is no job.
        let values = reply.array ?? []
        let present = Swift.zip(names, values).filter { !$1.isNull }
        found.append(
          present.isEmpty
            ? nil
            : Dictionary(present.map { ($0, $1.repairedText) }, uniquingKeysWith: { $1 }))
      }
    }
    return found
  }

  /// Keeps data under a name of a job's own for `lifetime`.
  package func store(
    _ data: [UInt8], as name: String, of job: String, for lifetime: Duration
  ) async throws {
    try await redis.send(
      RedisCommand(
        "SET", Keys.data(name, of: job), data, "PX",
        max(lifetime, .milliseconds(1)).wholeMilliseconds, idempotent: true))
  }

  /// What was kept under a name; nil if it has expired or never was.
  package func data(_ name: String, of job: String) async throws -> [UInt8]? {
    try await redis.send(RedisCommand("GET", Keys.data(name, of: job), idempotent: true)).bytes
  }
}
