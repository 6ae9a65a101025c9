import RedisClient

/// What a queue allows.
package struct QueueLimits: Sendable, Hashable {
  /// Jobs in work at a time, in all processes; nil: as many as there are slots.
  package var concurrency: Int?
  /// Jobs begun per second; nil: any number.
  package var rate: Double?
  /// Jobs that may begin at once under a rate.
  package var burst: Int
  /// Used for jobs that bring none; nil: that of the workers.
  package var retries: RetrySchedule?

  package init(
    concurrency: Int? = nil, rate: Double? = nil, burst: Int = 1, retries: RetrySchedule? = nil
  ) {
    self.concurrency = concurrency
    self.rate = rate
    self.burst = burst
    self.retries = retries
  }
}

extension JobQueue {
  private static let limitFields = [
    "concurrency", "rate", "burst", "max", "base", "cap", "intervals",
  ]

  /// What the queue allows now. What cannot be read counts as not set, as for the workers.
  package func limits() async throws -> QueueLimits {
    let reply = try await redis.send(
      RedisCommand(
        "HMGET", arguments: [Keys.configuration(of: name)] + Self.limitFields, idempotent: true))
    guard let values = reply.array, values.count == Self.limitFields.count else {
      throw unexpected(reply)
    }
    let known = Dictionary(
      uniqueKeysWithValues: zip(Self.limitFields, values.map { $0.string ?? "" }))
    func number<Number: LosslessStringConvertible>(_ name: String) -> Number? {
      known[name].flatMap { Number($0) }
    }
    return QueueLimits(
      concurrency: number("concurrency"), rate: number("rate"), burst: number("burst") ?? 1,
      retries: number("max").map { RetrySchedule(maximumAttempts: $0, stored: known) })
  }

  /// Sets what the queue allows, in place of what it allowed before.
  package func setLimits(_ limits: QueueLimits) async throws {
    var fields: [String] = []
    if let concurrency = limits.concurrency { fields += ["concurrency", String(concurrency)] }
    if let rate = limits.rate { fields += ["rate", String(rate), "burst", String(limits.burst)] }
    if let retries = limits.retries { fields += retries.stored }
    let key = Keys.configuration(of: name)
    var commands = [
      RedisCommand("HDEL", arguments: [key] + Self.limitFields, idempotent: true)
    ]
    if !fields.isEmpty {
      commands.append(RedisCommand("HSET", arguments: [key] + fields, idempotent: true))
    }
    for case .error(let message) in try await redis.transaction(commands) {
      throw RedisError(.rejected, command: "HSET", reason: message)
    }
  }
}

extension RetrySchedule {
  fileprivate init(maximumAttempts: Int, stored: [String: String]) {
    func pause(_ text: some StringProtocol) -> Duration? { Int(text).map { .milliseconds($0) } }
    self.init(maximumAttempts: maximumAttempts)
    base = stored["base"].flatMap(pause) ?? base
    cap = stored["cap"].flatMap(pause) ?? cap
    intervals = (stored["intervals"] ?? "").split(separator: ",").compactMap(pause)
  }
}
