import RedisClient

extension JobQueue {
  /// Reads what the claiming part of a script answers: see `claim.lua`.
  ///
  /// - Parameter parts: of `reply`, those that tell of the claim.
  func claim(from parts: ArraySlice<RedisValue>, of reply: RedisValue) async throws -> Claim {
    var reader = FlatReader(parts)
    guard let state = reader.next(), let wait = reader.next()?.integer,
      let count = reader.next()?.integer
    else { throw unexpected(reply) }
    var claim = Claim(hold: Claim.Hold(rawValue: state.repairedText))
    if wait >= 0 { claim.wait = .milliseconds(wait) }
    for _ in 0..<max(0, count) {
      guard let name = reader.next(), let key = name.bytes, let token = reader.next()?.string,
        let status = reader.next()?.repairedText, let deliveries = reader.next()?.integer,
        let attempts = reader.next()?.integer, let timeout = reader.next()?.integer,
        let traits = reader.next()?.integer, let size = reader.next()?.integer,
        let fields = reader.next(size)
      else { throw unexpected(reply) }
      guard let text = name.string else {
        try await refuse(unreadable: key, token: token)
        claim.dropped.append(.init(key: name.repairedText, why: "not UTF-8"))
        continue
      }
      claim.jobs.append(
        ClaimedJob(
          job: Job(key: text, fields: Dictionary(repairing: fields)),
          token: OwnerToken(rawValue: token), statusBeforeClaim: JobStatus(rawValue: status),
          deliveries: deliveries, attempts: attempts,
          timeLimit: timeout > 0 ? .milliseconds(timeout) : nil,
          hasCallbacks: traits & 1 != 0, hasParent: traits & 2 != 0))
    }
    while let key = reader.next() {
      guard let why = reader.next() else { throw unexpected(reply) }
      claim.dropped.append(.init(key: key.repairedText, why: why.repairedText))
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
  /// From the flat list of names and values of `HGETALL`; of a name that comes twice the later value.
  init(repairing values: some RandomAccessCollection<RedisValue>) {
    self.init(minimumCapacity: values.count / 2)
    var name: String?
    for value in values {
      if let field = name {
        self[field] = value.repairedText
        name = nil
      } else {
        name = value.repairedText
      }
    }
  }
}

/// Goes through the values of a flat reply.
private struct FlatReader {
  private var rest: ArraySlice<RedisValue>

  init(_ values: ArraySlice<RedisValue>) { rest = values }

  mutating func next() -> RedisValue? { rest.popFirst() }

  /// The next `count` values; nil if there are fewer.
  mutating func next(_ count: Int) -> ArraySlice<RedisValue>? {
    guard count >= 0, count <= rest.count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }
}
