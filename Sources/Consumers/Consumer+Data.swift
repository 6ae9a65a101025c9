import JobQueue
import RedisClient
import Retrying

/// Small data that outlives an execution.
extension Consumer {
  private static let largestData = 1 << 20
  private static let longestLifetime: Duration = .seconds(30 * 86400)

  /// Keeps data in Redis for later executions of the job, and for jobs that know its key.
  ///
  /// Not for results, which belong into the bucket. The last one to store under a name wins, also if
  /// it is a worker that has lost the job, so store what each execution would.
  /// - Parameters:
  ///   - data: at most 1 MiB.
  ///   - name: letters, digits, `.`, `_` and `-`, at most 100.
  ///   - lifetime: after which it is gone; at most 30 days.
  /// - Throws: ``JobError`` `internal` for what is too large or a name that cannot be.
  public func store(
    _ data: [UInt8], as name: String, expiring lifetime: Duration = .seconds(86400)
  ) async throws {
    try Self.check(name)
    guard data.count <= Self.largestData else {
      throw JobError(
        .internal,
        "the consumer stores \(data.count) bytes as \"\(name)\", and 1 MiB is the most; "
          + "put it into the bucket")
    }
    let job = run.job.key
    try await untilRedisAnswers {
      try await run.queue.store(
        data, as: name, of: job, for: min(lifetime, Self.longestLifetime))
    }
  }

  /// Data that was stored.
  ///
  /// - Parameters:
  ///   - name: as in ``store(_:as:expiring:)``.
  ///   - key: of the job that stored it; nil for the one in hand.
  /// - Returns: nil if it has expired or never was.
  public func fetch(_ name: String, of key: String? = nil) async throws -> [UInt8]? {
    try Self.check(name)
    let job = key ?? run.job.key
    return try await untilRedisAnswers { try await run.queue.data(name, of: job) }
  }

  /// Without colons, so that no two jobs' names make the same key.
  private static func check(_ name: String) throws {
    let isName = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "-"):
        true
      default: false
      }
    }
    guard isName, (1...100).contains(name.utf8.count) else {
      throw JobError(
        .internal, "the consumer stores data as \"\(name.forReason)\", which cannot be a name")
    }
  }

  /// Asks Redis, again while it is away. A job that is stopped meanwhile ends the waiting.
  func untilRedisAnswers<Result>(_ body: () async throws -> Result) async throws -> Result {
    defer { run.beat() }
    return try await retry(
      policy: { ($0 as? RedisError)?.mayPass == true ? .untilRedisIsBack : nil },
      onPause: { [logger = run.logger] pause in
        logger.warning(
          "Redis does not answer a job; trying again",
          metadata: ["event": "redis_away", "error": "\(pause.error)"])
      },
      operation: body)
  }
}
