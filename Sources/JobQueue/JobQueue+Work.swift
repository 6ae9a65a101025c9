import RedisClient

/// What a heartbeat says of one job.
package struct JobBeat: Sendable {
  package var job: String
  package var token: OwnerToken
  /// Since the job last gave a sign of life.
  package var silence: Duration

  package init(job: String, token: OwnerToken, silence: Duration = .zero) {
    self.job = job
    self.token = token
    self.silence = silence
  }
}

/// What a worker is to do about a job that does not simply go on.
package enum BeatAnswer: String, Sendable {
  /// Another has it, or has ended it.
  case lost
  /// Its hash is gone.
  case gone
  /// Somebody wants it stopped.
  case canceled
  /// It has taken longer than it may. The lease ends, and with it the job.
  case timeout
  /// It was silent too long. The lease ends, and another worker takes the job.
  case stalled
}

extension JobQueue {
  /// Writes fields of a job in hand, with `updated_at` and `updated_by`, and lines of its log.
  package func update(
    _ job: ClaimedJob, _ fields: [String: String], log: [String] = []
  ) async throws -> Ownership {
    try await ownership(
      Scripts.update, keys: [name, job.key],
      arguments: [job.token.rawValue, String(log.count)] + log + fields.flat)
  }

  /// Renews the leases of jobs in hand and shows that this process is alive.
  ///
  /// - Parameter card: what the process says of itself, kept for an hour.
  /// - Returns: by key, the jobs that do not simply go on.
  package func heartbeat(
    _ beats: [JobBeat], card: [String: String] = [:]
  ) async throws -> [String: BeatAnswer] {
    var card = card
    card["queue"] = name
    card["boot"] = boot
    card["beat"] = now().description
    card["jobs"] = String(beats.count)
    var answers: [String: BeatAnswer] = [:]
    // A call takes at most 100 jobs.
    for start in stride(from: 0, through: max(0, beats.count - 1), by: 100) {
      let arguments = beats[start..<min(start + 100, beats.count)].flatMap {
        [$0.job, $0.token.rawValue, $0.silence.wholeMilliseconds]
      }
      let flat = card.flat
      let reply = try await run(
        Scripts.heartbeat, keys: [name],
        arguments: [String(Self.cardLifetime), String(flat.count)] + flat + arguments)
      for (job, what) in try pairs(reply) { answers[job] = BeatAnswer(rawValue: what) ?? .lost }
    }
    return answers
  }

  /// Seconds that a worker's card is kept without a heartbeat.
  private static let cardLifetime = 3600

  /// Removes this worker's card: it ends in order and leaves nothing behind.
  package func retire() async throws {
    try await redis.transaction([
      RedisCommand("DEL", Keys.card(of: worker), idempotent: true),
      RedisCommand("ZREM", Keys.workers(of: name), worker, idempotent: true),
    ])
  }

  /// Puts a job back to the running end of the queue, as it was before it was claimed.
  ///
  /// Called twice because a reply was lost, it answers ``Ownership/lost``: the job is back.
  package func release(_ job: ClaimedJob) async throws -> Ownership {
    try await ownership(
      Scripts.release, keys: [name, job.key], arguments: [job.token.rawValue])
  }

  func ownership(
    _ script: RedisScript, keys: [String], arguments: [String]
  ) async throws -> Ownership {
    let reply = try await run(script, keys: keys, arguments: arguments)
    guard let ownership = Ownership(rawValue: reply.repairedText) else { throw unexpected(reply) }
    return ownership
  }

  /// Reads a flat list of keys and words.
  func pairs(_ reply: RedisValue) throws -> [(job: String, what: String)] {
    guard let parts = reply.array, parts.count.isMultiple(of: 2) else { throw unexpected(reply) }
    return stride(from: 0, to: parts.count, by: 2).map {
      (parts[$0].repairedText, parts[$0 + 1].repairedText)
    }
  }
}
