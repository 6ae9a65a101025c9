import JobQueue
import RedisClient

/// The callbacks that wait in Redis. The scripts that end jobs put them there.
package struct CallbackOutbox: Sendable {
  private static let claimScript = script(PackageResources.callback_claim_lua)
  private static let settleScript = script(PackageResources.callback_settle_lua)
  private static let requeueScript = script(PackageResources.callback_requeue_lua)

  private static func script(_ source: [UInt8]) -> RedisScript {
    RedisScript(String(decoding: source, as: UTF8.self))
  }

  /// How many callbacks one claim looks at.
  static let window = 256

  let redis: RedisClient

  package init(_ redis: RedisClient) { self.redis = redis }

  // MARK: Sending

  /// What a claim found.
  struct Look: Sendable {
    /// Those that can be sent, and those whose hash makes no sense.
    var callbacks: [Callback] = []
    var nextDue: Duration?
    /// How many were left because enough of their host's are on their way.
    var passed = 0
    /// Whether there are more behind those that were looked at.
    var hasMore = false
  }

  /// - Parameters:
  ///   - rank: where to begin, among all by due time.
  ///   - hosts: how many callbacks are on their way to each.
  func claim(
    upTo count: Int, token: String, lease: Duration, from rank: Int = 0, perHost: Int,
    hosts: [String: Int]
  ) async throws -> Look {
    var arguments: [any RedisArgument] = [
      token, lease.milliseconds, count, rank, Self.window, perHost,
    ]
    for (host, count) in hosts { arguments += [host, count] as [any RedisArgument] }
    let reply = try await redis.eval(
      Self.claimScript, keys: [Keys.callbacks], arguments: arguments)
    guard let parts = reply.array, parts.count >= 3, let due = parts[0].integer,
      let passed = parts[1].integer, let more = parts[2].integer
    else { throw RedisError(.unexpectedReply, command: "EVALSHA", reason: "callback_claim") }
    return Look(
      callbacks: try parts[3...].map(Self.callback),
      nextDue: due < 0 ? nil : .milliseconds(due), passed: passed, hasMore: more == 1)
  }

  private static func callback(_ reply: RedisValue) throws -> Callback {
    let texts = (reply.array ?? []).map(\.repairedText)
    guard texts.count >= 2, texts.count.isMultiple(of: 2), let entry = reply.array?[0].bytes else {
      throw RedisError(.unexpectedReply, command: "EVALSHA", reason: "callback_claim")
    }
    var fields: [String: String] = [:]
    for index in stride(from: 2, to: texts.count, by: 2) { fields[texts[index]] = texts[index + 1] }
    return try Callback(entry: entry, host: texts[1], fields: fields)
  }

  /// What came of sending a callback.
  enum Outcome: Sendable, Hashable {
    case delivered
    case retry(after: Duration, String)
    case dead(String)
    /// Not sent after all.
    case release
  }

  /// - Returns: false when the callback is another's by now; then nothing was changed.
  @discardableResult
  func settle(
    _ entry: any RedisArgument, token: String, _ outcome: Outcome, settings: CallbackSettings
  ) async throws -> Bool {
    let (what, delay, problem): (String, Duration, String) =
      switch outcome {
      case .delivered: ("delivered", .zero, "")
      case .retry(let delay, let problem): ("retry", delay, problem)
      case .dead(let problem): ("dead", .zero, problem)
      case .release: ("release", .zero, "")
      }
    // Said twice, it is done once.
    return try await redis.eval(
      Self.settleScript, keys: [Keys.callbacks, Keys.deadCallbacks],
      arguments: [
        token, entry, what, delay.milliseconds, problem,
        Int(settings.deadLetterLifetime.components.seconds), settings.deadLetterLimit,
      ], idempotent: true
    ).decode()
  }

  // MARK: Given up

  /// Sends callbacks again that were given up, with all tries anew.
  ///
  /// - Parameters:
  ///   - ids: nil for all, the oldest 1000 of them at a time.
  ///   - lifetime: how long they are kept at most.
  /// - Returns: how many.
  package func requeue(
    _ ids: [String]? = nil, lifetime: Duration = .seconds(7 * 86400)
  ) async throws -> Int {
    if let ids, ids.isEmpty { return 0 }
    return try await redis.eval(
      Self.requeueScript, keys: [Keys.callbacks, Keys.deadCallbacks],
      arguments: ["\(lifetime.components.seconds)"] + (ids ?? [])
    ).decode()
  }
}

extension RedisValue {
  /// A string, with whatever is no UTF-8 in it replaced.
  var repairedText: String { String(decoding: bytes ?? [], as: UTF8.self) }
}

extension Duration {
  var milliseconds: Int {
    let (seconds, rest) = components
    return Int(max(0, min(seconds, 10_000_000_000) * 1000 + rest / 1_000_000_000_000_000))
  }
}
