import JobQueue
import Metrics

/// The metrics of taking jobs and of their ends. Names and labels are part of the operations interface.
struct DeliveryMetrics: Sendable {
  private enum Name {
    static let claimed = "kiosk_jobs_claimed_total"
    static let finished = "kiosk_jobs_finished_total"
    static let requeued = "kiosk_jobs_requeued_total"
    static let refused = "kiosk_finishes_refused_total"
    static let leasesLost = "kiosk_leases_lost_total"
    static let errors = "kiosk_errors_total"
    static let inProgress = "kiosk_jobs_in_progress"
    static let claimDuration = "kiosk_claim_duration_seconds"
    static let jobDuration = "kiosk_job_duration_seconds"
    static let queueWait = "kiosk_job_queue_wait_seconds"
    static let stageDuration = "kiosk_job_stage_duration_seconds"
    static let heartbeat = "kiosk_heartbeat_timestamp_seconds"
    static let draining = "kiosk_draining"
  }

  enum Outcome: String, CaseIterable {
    case done, failed, canceled
    /// The entry was no job to do.
    case invalid
  }

  /// Why a job went back to its queue.
  enum Requeue: String, CaseIterable {
    case shutdown, retry, reaped, startup, limbo
  }

  private let factory: any MetricsFactory
  private let queue: (String, String)

  /// Series whose labels are known in advance begin at 0.
  init(queue: String, factory: any MetricsFactory) {
    self.factory = factory
    self.queue = ("queue", queue)
    for outcome in Outcome.allCases { counter(Name.finished, outcome).increment(by: 0) }
    for reason in Requeue.allCases { counter(Name.requeued, reason).increment(by: 0) }
    for code in JobError.Code.allCases { errors(code).increment(by: 0) }
    for name in [Name.claimed, Name.refused, Name.leasesLost] { counter(name).increment(by: 0) }
    inProgress(0)
    draining(false)
  }

  // MARK: Taking jobs

  func claimed(_ jobs: [ClaimedJob]) {
    if jobs.isEmpty { return }
    counter(Name.claimed).increment(by: jobs.count)
    let now = Timestamp.now
    for job in jobs {
      guard let created = job.job[Field.createdAt].flatMap(Timestamp.init),
        created.microseconds <= now.microseconds
      else { continue }
      timer(Name.queueWait).record(
        duration: .microseconds(now.microseconds - created.microseconds))
    }
  }

  func claimTook(_ duration: Duration) { timer(Name.claimDuration).record(duration: duration) }

  func inProgress(_ count: Int) { gauge(Name.inProgress, [queue]).record(count) }

  // MARK: Ends

  func finished(_ outcome: Outcome) { counter(Name.finished, outcome).increment() }

  /// The end of a job that was worked on.
  func finished(_ outcome: Outcome, after duration: Duration, stages: [JobStage: Duration]) {
    finished(outcome)
    timer(Name.jobDuration, [("outcome", outcome.rawValue)]).record(duration: duration)
    for (stage, duration) in stages {
      timer(Name.stageDuration, [("stage", stage.rawValue)]).record(duration: duration)
    }
  }

  func failed(_ code: JobError.Code) { errors(code).increment() }

  func requeued(_ reason: Requeue) { counter(Name.requeued, reason).increment() }

  /// A worker that had lost its job came with the result.
  func refused() { counter(Name.refused).increment() }

  /// A job was stopped because it is, or may be, another's.
  func leaseLost() { counter(Name.leasesLost).increment() }

  // MARK: The process

  func beat() {
    gauge(Name.heartbeat, []).record(Double(Timestamp.now.microseconds) / 1e6)
  }

  func draining(_ isDraining: Bool) { gauge(Name.draining, []).record(isDraining ? 1 : 0) }

  // MARK: Series

  private func counter(_ name: String, _ labels: [(String, String)] = []) -> Counter {
    Counter(label: name, dimensions: [queue] + labels, factory: factory)
  }

  private func counter(_ name: String, _ outcome: Outcome) -> Counter {
    counter(name, [("outcome", outcome.rawValue)])
  }

  private func counter(_ name: String, _ reason: Requeue) -> Counter {
    counter(name, [("reason", reason.rawValue)])
  }

  private func errors(_ code: JobError.Code) -> Counter {
    counter(Name.errors, [("error_code", code.rawValue)])
  }

  private func timer(_ name: String, _ labels: [(String, String)] = []) -> Timer {
    Timer(label: name, dimensions: [queue] + labels, factory: factory)
  }

  private func gauge(_ name: String, _ labels: [(String, String)]) -> Gauge {
    Gauge(label: name, dimensions: labels, factory: factory)
  }
}
