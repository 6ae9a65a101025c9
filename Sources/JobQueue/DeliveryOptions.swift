import FoundationEssentials
import RedisClient

/// When and how a submitted job is to run.
package struct DeliveryOptions: Sendable {
  package enum Place: Sendable, Hashable {
    /// After all that wait.
    case normal
    /// Next.
    case urgent
    /// In no list until the time is over, then next.
    case delayed(Duration)
  }

  package var place: Place
  /// How often it is tried; nil: as its queue has it.
  package var retries: RetrySchedule?
  /// How long it may take; nil: as its workers have it.
  package var timeout: Duration?
  /// URLs that are told of the end, at most 10.
  package var callbacks: [String]
  /// Submissions with the same one make one job, for ``fingerprintLifetime``.
  package var fingerprint: String?
  package var fingerprintLifetime: Duration
  /// How many replicas are to have the job before a submission returns; 0: none. Replication is
  /// asynchronous, and a failover can lose what the primary accepted last.
  package var replicas: Int
  /// How long to wait for them. Too few are no error: the job is accepted.
  package var replicaLimit: Duration

  package init(
    _ place: Place = .normal, retries: RetrySchedule? = nil, timeout: Duration? = nil,
    callbacks: [String] = [], fingerprint: String? = nil,
    fingerprintLifetime: Duration = .seconds(60), replicas: Int = 0,
    replicaLimit: Duration = .milliseconds(100)
  ) {
    self.place = place
    self.retries = retries
    self.timeout = timeout
    self.callbacks = callbacks
    self.fingerprint = fingerprint
    self.fingerprintLifetime = fingerprintLifetime
    self.replicas = replicas
    self.replicaLimit = replicaLimit
  }

  /// What is remembered with the job.
  fileprivate func stored() throws -> [String] {
    var values = retries?.stored ?? []
    if let timeout { values += ["timeout", timeout.wholeMilliseconds] }
    if !callbacks.isEmpty {
      let json = try JSONEncoder().encode(Array(callbacks.prefix(10)))
      values += ["callbacks", String(decoding: json, as: UTF8.self)]
    }
    return values
  }
}

/// What became of a submission.
package struct Submission: Sendable, Equatable {
  package enum Outcome: String, Sendable {
    case made = "ok"
    /// There is a key of this name; it was left as it is.
    case exists
    /// The same fingerprint made the job before.
    case duplicate
  }

  package let outcome: Outcome
  package let key: String
  /// How many replicas have the job; nil if none were waited for, or it had been made before.
  package var replicaCount: Int? = nil
}

extension JobQueue {
  /// Makes a job's hash and gives it its place, in one step.
  package func submit(
    _ key: String, _ hash: [String: String], _ options: DeliveryOptions = DeliveryOptions()
  ) async throws -> Submission {
    let (place, delay): (String, Duration) =
      switch options.place {
      case .normal: ("normal", .zero)
      case .urgent: ("urgent", .zero)
      case .delayed(let delay): ("delayed", delay)
      }
    let stored = try options.stored()
    let arguments: [String] = [
      place, delay.wholeMilliseconds, options.fingerprint ?? "",
      max(options.fingerprintLifetime, .milliseconds(1)).wholeMilliseconds, String(stored.count),
    ]
    let (reply, count) = try await submit(
      keys: [name, key], arguments: arguments + stored + hash.flat, options)
    guard let parts = reply.array, parts.count == 2,
      let outcome = Submission.Outcome(rawValue: parts[0].repairedText)
    else { throw unexpected(reply) }
    return Submission(
      outcome: outcome, key: parts[1].repairedText, replicaCount: outcome == .made ? count : nil)
  }

  private func submit(
    keys: [String], arguments: [String], _ options: DeliveryOptions
  ) async throws -> (reply: RedisValue, replicaCount: Int?) {
    if options.replicas > 0 {
      do {
        let written = try await redis.replicated(
          Scripts.submit, keys: keys, arguments: head + arguments, to: options.replicas,
          within: options.replicaLimit)
        return (written.value, written.replicaCount)
      } catch let error as RedisError where error.outcomeUnknown {
        // As in a failover. Sent again it makes no second job, and says whether there is one.
      }
    }
    return (try await run(Scripts.submit, keys: keys, arguments: arguments), nil)
  }
}
