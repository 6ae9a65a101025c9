import JobQueue
import Logging
import Synchronization

/// The way in which jobs come into this process, shared by the one that waits for them and the slots,
/// which take the next one when they report an end.
final class JobIntake: Sendable {
  let running = RunningJobs()
  let ends = RecentEnds()
  let breaker: ModelBreaker
  let metrics: DeliveryMetrics
  let options: ServiceOptions
  let queue: JobQueue
  let logger: Logger

  private struct State {
    var isOpen = true
    var lastTurn = ContinuousClock.now
    /// Whether there was a job since the process was idle last.
    var hasWorked = false
  }

  private let state = Mutex(State())

  init(_ context: ConsumerContext, _ options: ServiceOptions) {
    queue = context.queue
    logger = context.logger
    self.options = options
    breaker = ModelBreaker(probeInterval: options.probeInterval)
    metrics = DeliveryMetrics(queue: context.queue.name, factory: context.metrics)
  }

  /// Whether more jobs are to be taken at all.
  var isOpen: Bool { state.withLock { $0.isOpen } }

  func close() {
    state.withLock { $0.isOpen = false }
    metrics.draining(true)
  }

  /// How many of the jobs wanted may be taken now.
  func allowance(of count: Int) -> Int { isOpen ? breaker.allowance(of: count) : 0 }

  /// When it was last tried to take jobs.
  var lastTurn: ContinuousClock.Instant { state.withLock { $0.lastTurn } }

  /// Notes that it is tried now.
  func noteTurn() { state.withLock { $0.lastTurn = .now } }

  func claim(upTo count: Int) async throws -> Claim {
    noteTurn()
    let sent = ContinuousClock.now
    let claim = try await options.claim(queue, count)
    metrics.claimTook(sent.duration(to: .now))
    admit(claim, since: sent)
    return claim
  }

  /// Notes what a call sent at `time` has brought.
  func admit(_ claim: Claim, since time: ContinuousClock.Instant) {
    if !claim.jobs.isEmpty {
      running.hold(claim.jobs, since: time)
      breaker.tookJobs()
      metrics.claimed(claim.jobs)
      metrics.inProgress(running.count)
    }
    for entry in claim.dropped { note(entry) }
  }

  /// Notes that nothing of a job is left in this process.
  func letGo(of job: ClaimedJob) {
    running.remove(job)
    breaker.ended(job.token)
    metrics.inProgress(running.count)
    state.withLock { state in
      state.lastTurn = .now
      state.hasWorked = true
    }
  }

  /// Notes that no job came for some seconds.
  func noteQuiet() {
    guard running.isEmpty else { return }
    let isNews = state.withLock { state in
      defer { state.hasWorked = false }
      return state.hasWorked
    }
    if isNews { options.onIdle() }
  }

  private func note(_ entry: Claim.DroppedEntry) {
    switch entry.why {
    case "claimed", "healed", "parked", "delayed":
      logger.info(
        "dropped from the queue: it was pushed twice",
        metadata: ["event": "entry_dropped", "job_id": "\(entry.key)", "error": "\(entry.why)"])
    case "canceled", "crashed":
      metrics.finished(entry.why == "canceled" ? .canceled : .failed)
      metrics.failed(entry.why == "canceled" ? .canceled : .lostWorker)
      logger.warning(
        "job given up", metadata: ["event": "job_\(entry.why)", "job_id": "\(entry.key)"])
    default:
      metrics.finished(.invalid)
      logger.warning(
        "dropped from the queue: no job to do",
        metadata: ["event": "entry_dropped", "job_id": "\(entry.key)", "error": "\(entry.why)"])
    }
  }
}
