import RedisClient

/// One queue as one worker sees it: the jobs to take, and those it has in hand.
///
/// Each change is one script; what the scripts guarantee stands at their heads, in `Scripts/`. A job
/// in work has a lease, which the worker's heartbeats renew and which everything that changes the
/// job must show the token of.
public struct JobQueue: Sendable {
  /// The Redis list, in lower case.
  public let name: String
  /// This process; in Kubernetes the pod's name. Never shared by two.
  public let worker: String
  package let settings: DeliverySettings
  /// Tells this process from an earlier one of the same name.
  let boot: String
  let redis: RedisClient
  let now: @Sendable () -> Timestamp

  /// How long one look at an empty queue blocks.
  private static let waitLimit: Duration = .seconds(5)

  /// - Parameter now: the time written into hashes; nothing is decided by it.
  package init(
    name: String, worker: String, redis: RedisClient,
    settings: DeliverySettings = DeliverySettings(), boot: String = RandomName.hex(digits: 32),
    now: @escaping @Sendable () -> Timestamp = { .now }
  ) {
    self.name = name
    self.worker = worker
    self.redis = redis
    self.settings = settings
    self.boot = boot
    self.now = now
  }

  /// Waits until the queue is not empty, at most 5 s.
  ///
  /// The list is rotated onto itself, which blocks and changes nothing. Moving an entry while
  /// blocked would lose it with the reply: it would sit in the list of a worker that does not know.
  /// - Parameter limit: when to look again at the latest, as an earlier claim said.
  /// - Returns: whether there is something to claim.
  package func waitForJob(atMost limit: Duration? = nil) async throws -> Bool {
    // The server takes 0 for ever.
    let wait = max(.milliseconds(1), min(Self.waitLimit, limit ?? Self.waitLimit))
    let reply = try await redis.blocking(
      RedisCommand("BLMOVE", name, name, "RIGHT", "RIGHT", wait / .seconds(1)),
      timeout: wait + .seconds(2))
    return reply != .null
  }

  /// Takes up to `count` jobs and marks them as started.
  ///
  /// When the reply is lost the jobs are this worker's although it does not know; ``recover(except:)``
  /// then puts them back.
  package func claim(upTo count: Int) async throws -> Claim {
    let reply = try await run(
      Scripts.claim, keys: [name], arguments: [String(count)], idempotent: false)
    guard let parts = reply.array else { throw unexpected(reply) }
    return try await claim(from: parts[...], of: reply)
  }

  func run(
    _ script: RedisScript, keys: [any RedisArgument], arguments: [any RedisArgument],
    idempotent: Bool = true
  ) async throws -> RedisValue {
    try await redis.eval(script, keys: keys, arguments: head + arguments, idempotent: idempotent)
  }

  /// What every script takes first.
  var head: [any RedisArgument] {
    [
      worker, boot, now().description, settings.leaseTime.wholeMilliseconds,
      String(settings.crashLimit), settings.resultLifetime.wholeSeconds,
      settings.failureLifetime.wholeSeconds, String(settings.deadLetterLimit),
      settings.limboTime.wholeMilliseconds, (settings.stallTime ?? .zero).wholeMilliseconds,
      (settings.jobTimeout ?? .zero).wholeMilliseconds,
    ]
  }

  func unexpected(_ reply: RedisValue) -> RedisError {
    RedisError(.unexpectedReply, command: "EVALSHA", reason: "a queue script answered \(reply)")
  }
}

extension [String: String] {
  /// Names and values alternating, in an order that does not change from run to run.
  var flat: [String] { sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] } }
}
