/// How long things may take in a queue, and how often they are tried.
package struct DeliverySettings: Sendable {
  /// How long a job stays a worker's without a heartbeat.
  package var leaseTime: Duration
  /// How often a process renews the leases of its jobs.
  package var heartbeatInterval: Duration
  /// How often leases that have ended are looked for, by any of the workers.
  package var reapInterval: Duration
  /// How long an entry that vanished from a worker's list is left to whoever took it.
  package var limboTime: Duration
  /// How long a job may be silent before its lease is not renewed any more; nil: for ever.
  package var stallTime: Duration?
  /// How long a job may take; nil: as long as it likes. A job's own limit comes before it.
  package var jobTimeout: Duration?
  /// Workers that a job may lose before it is given up.
  package var crashLimit: Int
  /// How often a job is tried, and at what distance. A job's own and its queue's come before it.
  package var retries: RetrySchedule
  /// How long the hash of a done job is kept when its client has set no time.
  package var resultLifetime: Duration
  /// The same for a failed job.
  package var failureLifetime: Duration
  package var deadLetterLimit: Int

  package init(
    leaseTime: Duration = .seconds(30), heartbeatInterval: Duration = .seconds(10),
    reapInterval: Duration = .seconds(5), limboTime: Duration = .seconds(600),
    stallTime: Duration? = .seconds(900), jobTimeout: Duration? = nil, crashLimit: Int = 3,
    retries: RetrySchedule = RetrySchedule(), resultLifetime: Duration = .seconds(3 * 86400),
    failureLifetime: Duration = .seconds(7 * 86400), deadLetterLimit: Int = 10_000
  ) {
    self.leaseTime = leaseTime
    self.heartbeatInterval = heartbeatInterval
    self.reapInterval = reapInterval
    self.limboTime = limboTime
    self.stallTime = stallTime
    self.jobTimeout = jobTimeout
    self.crashLimit = crashLimit
    self.retries = retries
    self.resultLifetime = resultLifetime
    self.failureLifetime = failureLifetime
    self.deadLetterLimit = deadLetterLimit
  }

  /// How long a worker may go on without having heard that its jobs are still its own: less than the
  /// lease, so that it has stopped before another begins.
  package var contactLimit: Duration { leaseTime * 2 / 3 }
}

/// How often a job is tried, and at what distance.
public struct RetrySchedule: Sendable, Hashable {
  /// Executions that may fail, the first one included.
  public var maximumAttempts: Int
  /// The longest pause before the second attempt; each further one doubles it.
  public var base: Duration
  /// No pause is longer.
  public var cap: Duration
  /// The pauses themselves, in place of `base` and `cap` and without chance. When there are fewer than
  /// retries, the first is repeated, so that the last ones are as given: 5 retries with 10, 30 and
  /// 60 s wait 10, 10, 10, 30 and 60 s.
  public var intervals: [Duration]

  public init(
    maximumAttempts: Int = 3, base: Duration = .seconds(2), cap: Duration = .seconds(300),
    intervals: [Duration] = []
  ) {
    self.maximumAttempts = maximumAttempts
    self.base = base
    self.cap = cap
    self.intervals = intervals
  }

  /// As stored with a job or a queue.
  var stored: [String] {
    [
      "max", String(maximumAttempts), "base", base.wholeMilliseconds, "cap", cap.wholeMilliseconds,
      "intervals", intervals.map(\.wholeMilliseconds).joined(separator: ","),
    ]
  }
}

extension Duration {
  /// More is as good as for ever, and more than Redis can add to the time.
  private static let longest: Int64 = 10_000_000_000

  /// For scripts, which reckon in milliseconds; at least 0.
  var wholeMilliseconds: String {
    let (seconds, rest) = components
    return String(max(0, min(seconds, Self.longest) * 1000 + rest / 1_000_000_000_000_000))
  }

  /// For expiries; at least 1.
  var wholeSeconds: String { String(max(1, min(components.seconds, Self.longest))) }
}
