import RedisClient

extension JobQueue {
  /// Reads what the claiming part of a script answers.
  func claim(from reply: RedisValue) async throws -> Claim {
    guard let parts = reply.array, parts.count == 4, let wait = parts[1].integer,
      let jobs = parts[2].array, let dropped = parts[3].array
    else { throw unexpected(reply) }
    var claim = Claim(hold: Claim.Hold(rawValue: parts[0].repairedText))
    if wait >= 0 { claim.wait = .milliseconds(wait) }
    claim.dropped = try dropped.map { entry in
      guard let entry = entry.array, entry.count == 2 else { throw unexpected(reply) }
      return Claim.DroppedEntry(key: entry[0].repairedText, why: entry[1].repairedText)
    }
    for entry in jobs {
      guard let entry = entry.array, entry.count == 8, let key = entry[0].bytes,
        let token = entry[1].string, let deliveries = entry[3].integer,
        let attempts = entry[4].integer, let timeout = entry[5].integer,
        let fields = entry[6].array
      else { throw unexpected(reply) }
      guard let text = entry[0].string else {
        try await refuse(unreadable: key, token: token)
        claim.dropped.append(.init(key: entry[0].repairedText, why: "not UTF-8"))
        continue
      }
      claim.jobs.append(
        ClaimedJob(
          job: Job(key: text, fields: Dictionary(repairing: fields)),
          token: OwnerToken(rawValue: token),
          statusBeforeClaim: JobStatus(rawValue: entry[2].repairedText), deliveries: deliveries,
          attempts: attempts, timeLimit: timeout > 0 ? .milliseconds(timeout) : nil,
          hasCallbacks: entry[7].integer == 1))
    }
    return claim
  }

  /// Fails a claimed job whose key is not text: everything here that names a job does so by text.
  private func refuse(unreadable key: [UInt8], token: String) async throws {
    let end = JobEnd.failed(
      reason: "InvalidInput: the name of the job is not valid UTF-8 text; rename the file and "
        + "submit it again", errorCode: "invalid_input")
    _ = try await run(
      Scripts.finish, keys: [name, key], arguments: [token, end.outcome, "0"] + end.fields.flat)
  }
}

extension RedisValue {
  /// A string's text, with U+FFFD for what is not UTF-8: producers write any bytes, and one odd job must
  /// not keep the others from being read.
  var repairedText: String { String(decoding: bytes ?? [], as: UTF8.self) }
}

extension [String: String] {
  /// From the flat list of names and values of `HGETALL`.
  init(repairing values: [RedisValue]) {
    self.init(minimumCapacity: values.count / 2)
    for index in stride(from: 1, to: values.count, by: 2) {
      self[values[index - 1].repairedText] = values[index].repairedText
    }
  }
}
