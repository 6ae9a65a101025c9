import RedisClient

/// One queue as one worker sees it: the jobs to take, and those it has in hand.
///
/// A job in work is in exactly one list, the queue or the worker's processing list, at every
/// instant: each change is one script. What the scripts guarantee stands at their head, in
/// `Scripts/`.
public struct JobQueue: Sendable {
  /// The Redis list, in lower case.
  public let name: String
  /// This process; in Kubernetes the pod's name. Never shared by two.
  public let worker: String
  private let redis: RedisClient
  private let now: @Sendable () -> Timestamp

  /// How long one look at an empty queue blocks.
  private static let waitLimit: Duration = .seconds(5)

  public init(
    name: String, worker: String, redis: RedisClient,
    now: @escaping @Sendable () -> Timestamp = { .now }
  ) {
    self.name = name
    self.worker = worker
    self.redis = redis
    self.now = now
  }

  private var processing: String { Keys.processing(queue: name, worker: worker) }

  /// Waits until the queue is not empty, at most 5 s.
  ///
  /// The list is rotated onto itself, which blocks and changes nothing. Moving an entry while
  /// blocked would lose it with the reply: it would sit in the list of a worker that does not know.
  /// - Returns: whether there is something to claim.
  public func waitForJob() async throws -> Bool {
    let seconds = Double(Self.waitLimit.components.seconds)
    let reply = try await redis.blocking(
      RedisCommand("BLMOVE", name, name, "RIGHT", "RIGHT", seconds),
      timeout: Self.waitLimit + .seconds(2))
    return reply != .null
  }

  /// Takes up to `count` jobs and marks them as started.
  public func claim(upTo count: Int) async throws -> Claim {
    let reply = try await run(
      Scripts.claim, keys: [name, processing],
      arguments: [String(count), worker, now().description],
      idempotent: false)
    guard let parts = reply.array, parts.count == 2 else { throw unexpected(reply) }
    var dropped = try parts[1].decode([[RedisValue]].self).map { entry in
      guard entry.count == 2 else { throw unexpected(reply) }
      return Claim.DroppedEntry(key: entry[0].repairedText, why: entry[1].repairedText)
    }
    var jobs: [ClaimedJob] = []
    for entry in try parts[0].decode([[RedisValue]].self) {
      guard entry.count == 3, let key = entry[0].bytes, let fields = entry[2].array else {
        throw unexpected(reply)
      }
      if let text = entry[0].string {
        let job = Job(key: text, fields: Dictionary(repairing: fields))
        jobs.append(
          ClaimedJob(job: job, statusBeforeClaim: JobStatus(rawValue: entry[1].repairedText)))
      } else {
        try await refuse(unreadable: key)
        dropped.append(Claim.DroppedEntry(key: entry[0].repairedText, why: "not UTF-8"))
      }
    }
    return Claim(jobs: jobs, dropped: dropped)
  }

  /// Fails a claimed job whose key is not text: everything here that names a job does so by text.
  private func refuse(unreadable key: [UInt8]) async throws {
    let time = now()
    let end: [String: String] = [
      Field.status: JobStatus.failed.rawValue, Field.finishedAt: time.description,
      Field.errorCode: "invalid_input",
      Field.reason:
        "InvalidInput: the name of the job is not valid UTF-8 text; rename the file and "
        + "submit it again",
    ]
    try await redis.eval(
      Scripts.finish, keys: [processing, key],
      arguments: [worker, time.description] + flat(end, at: time), idempotent: true)
  }

  /// Writes fields of a job in hand, with `updated_at` and `updated_by`.
  public func update(
    _ job: ClaimedJob, _ fields: [String: String]
  ) async throws -> Ownership {
    try await ownership(
      Scripts.update, keys: [processing, job.key], arguments: flat(fields, at: now()))
  }

  /// Writes the end of a job, with all that belongs to it, and takes it off the worker's list.
  ///
  /// Safe to repeat with the same `time` when the reply was lost.
  public func finish(
    _ job: ClaimedJob, _ end: JobEnd, _ fields: [String: String], at time: Timestamp
  ) async throws -> Ownership {
    var fields = fields
    fields[Field.status] = end.status.rawValue
    fields[Field.finishedAt] = time.description
    if case .failed(let reason, let errorCode) = end {
      fields[Field.reason] = reason
      fields[Field.errorCode] = errorCode
    }
    return try await ownership(
      Scripts.finish, keys: [processing, job.key],
      arguments: [worker, time.description] + flat(fields, at: time))
  }

  /// Puts a job back to the running end of the queue, as it was before it was claimed.
  ///
  /// Called twice because a reply was lost, it answers ``Ownership/lost``: the job is back.
  public func release(_ job: ClaimedJob) async throws -> Ownership {
    try await ownership(
      Scripts.release, keys: [name, processing, job.key],
      arguments: [worker, now().description, job.statusBeforeClaim.rawValue])
  }

  /// Refreshes `updated_at` of jobs in hand.
  ///
  /// - Returns: the keys of those that this worker no longer has.
  public func heartbeat(_ jobs: [String]) async throws -> [String] {
    guard !jobs.isEmpty else { return [] }
    return try await run(
      Scripts.heartbeat, keys: [processing] + jobs, arguments: [worker, now().description],
      idempotent: true
    ).decode()
  }

  /// Puts jobs in this worker's list that it does not work on back to the queue.
  ///
  /// To be called before the first claim, for what an earlier process of this name left behind, and
  /// after a claim whose outcome is unknown.
  /// - Parameter held: the keys of the jobs in work.
  /// - Returns: the keys of the jobs that went back.
  public func recover(except held: [String] = []) async throws -> [String] {
    let reply = try await run(
      Scripts.recover, keys: [name, processing] + held, arguments: [worker, now().description],
      idempotent: true)
    guard let returned = reply.array?.first?.array else { throw unexpected(reply) }
    return returned.map(\.repairedText)
  }

  private func ownership(
    _ script: RedisScript, keys: [String], arguments: [String]
  ) async throws -> Ownership {
    let reply = try await run(script, keys: keys, arguments: arguments, idempotent: true)
    guard let ownership = Ownership(rawValue: try reply.decode()) else {
      throw unexpected(reply)
    }
    return ownership
  }

  private func run(
    _ script: RedisScript, keys: [String], arguments: [String], idempotent: Bool
  ) async throws -> RedisValue {
    try await redis.eval(script, keys: keys, arguments: arguments, idempotent: idempotent)
  }

  private func flat(_ fields: [String: String], at time: Timestamp) -> [String] {
    var fields = fields
    fields[Field.updatedAt] = time.description
    fields[Field.updatedBy] = worker
    return fields.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
  }

  private func unexpected(_ reply: RedisValue) -> RedisError {
    RedisError(.unexpectedReply, command: "EVALSHA", reason: "a queue script answered \(reply)")
  }
}

extension RedisValue {
  /// A string's text, with U+FFFD for what is not UTF-8: producers write any bytes, and one odd job must
  /// not keep the others from being read.
  fileprivate var repairedText: String { String(decoding: bytes ?? [], as: UTF8.self) }
}

extension [String: String] {
  /// From the flat list of names and values of `HGETALL`.
  fileprivate init(repairing values: [RedisValue]) {
    self.init(minimumCapacity: values.count / 2)
    for index in stride(from: 1, to: values.count, by: 2) {
      self[values[index - 1].repairedText] = values[index].repairedText
    }
  }
}
