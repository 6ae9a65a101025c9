import JobQueue
import RedisClient

/// Changes jobs one by one and tells what became of each.
struct JobChanges: Sendable {
  /// What became of one job.
  struct Outcome: Sendable {
    /// For programs.
    let word: String
    /// For people.
    let text: String
    /// Whether it is what the user wanted.
    let isSuccess: Bool
  }

  /// The event of JSON lines.
  let name: String
  let session: Session
  let console: Console

  /// Jobs changed at a time.
  private static let concurrency = 32

  /// - Parameters:
  ///   - queue: of all the jobs of which nothing else is known; nil to find out that of each.
  ///   - summary: what people are told the number of, in place of each success.
  /// - Throws: ``KioskError`` `jobFailed` when a job could not be changed.
  func run(
    _ jobs: [String], queue: String?, summary: String? = nil,
    _ change: @escaping @Sendable (String, JobQueue) async throws -> Outcome
  ) async throws {
    let locator =
      queue == nil
      ? JobLocator(try await QueueDirectory.read(session.redis), session.redis) : nil
    var successes = 0
    var failures = 0
    try await jobs.forEachInOrder(atMost: Self.concurrency) { [session] job in
      // What is known of a job comes before what is said of it: no queue is to get another's jobs.
      let known = try await JobLocator.remembered(of: job, session.redis)
      var found = known ?? queue
      if known == nil, let locator { found = try await locator.queue(of: job) }
      guard let found else {
        return (String?.none, try await Self.unknown(job, session.redis))
      }
      return (found, try await change(job, session.queue(found)))
    } _: { job, result in
      let (found, outcome) = result
      if let queue, let found, found != queue {
        console.note("note: \(job.printable) belongs to queue \(found.printable)")
      }
      if outcome.isSuccess { successes += 1 } else { failures += 1 }
      if console.isJSON {
        console.result(
          JSONLine(
            name,
            ["job": .text(job), "queue": .text(found), "outcome": .text(outcome.word)]
          ).text)
      } else if !outcome.isSuccess {
        console.error("\(job.printable): \(outcome.text)")
      } else if summary == nil {
        console.result("\(job.printable): \(outcome.text)")
      }
    }
    if let summary, !console.isJSON {
      console.result("\(successes) of \(jobs.count) jobs \(summary)")
    }
    if failures > 0 { throw KioskError(.jobFailed) }
  }

  private static func unknown(_ job: String, _ redis: RedisClient) async throws -> Outcome {
    let count: Int = try await redis.send(RedisCommand("EXISTS", job, idempotent: true)).decode()
    if count == 0 { return missing }
    return Outcome(
      word: "unknown_queue", text: "no queue has it; name the one it belongs to with --queue",
      isSuccess: false)
  }

  static let missing = Outcome(
    word: "missing", text: JobReport.noSuchJob, isSuccess: false)
}

extension JobChanges.Outcome {
  init(_ requeueing: Requeueing) {
    switch requeueing {
    case .requeued: self.init(word: "requeued", text: "waits in its queue again", isSuccess: true)
    case .live:
      self.init(
        word: "live", text: "has not ended: it waits, runs or is delayed", isSuccess: false)
    case .missing: self = JobChanges.missing
    }
  }

  init(_ cancellation: Cancellation) {
    switch cancellation {
    case .canceled: self.init(word: "canceled", text: "canceled", isSuccess: true)
    case .running:
      self.init(word: "running", text: "its worker has been told to stop", isSuccess: true)
    case .ended: self.init(word: "ended", text: "was over already", isSuccess: false)
    case .missing: self = JobChanges.missing
    case .elsewhere:
      self.init(
        word: "elsewhere", text: "is in the hands of a consumer that cannot be told to stop",
        isSuccess: false)
    case .absent:
      self.init(
        word: "absent", text: "is not in this queue; name the one it is in with --queue",
        isSuccess: false)
    }
  }
}
