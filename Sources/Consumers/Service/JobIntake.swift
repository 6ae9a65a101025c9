import JobQueue
import Logging
import Metrics
import Synchronization

/// The way in which jobs come into this process, shared by the one that waits for them and the slots,
/// which take the next one when they report an end.
final class JobIntake: Sendable {
  let running = RunningJobs()
  private let queue: JobQueue
  private let logger: Logger
  /// Entries of the queue that were no job to do.
  private let invalid: Counter
  private let open = Mutex(true)

  init(_ context: ConsumerContext) {
    queue = context.queue
    logger = context.logger
    invalid = Counter(
      label: "kiosk_jobs_finished_total",
      dimensions: [("queue", context.queue.name), ("outcome", "invalid")],
      factory: context.metrics)
  }

  /// Whether more jobs are to be taken.
  var isOpen: Bool { open.withLock { $0 } }

  func close() { open.withLock { $0 = false } }

  func claim(upTo count: Int) async throws -> Claim {
    let sent = ContinuousClock.now
    let claim = try await queue.claim(upTo: count)
    admit(claim, since: sent)
    return claim
  }

  /// Notes what a call sent at `time` has brought.
  func admit(_ claim: Claim, since time: ContinuousClock.Instant) {
    running.hold(claim.jobs, since: time)
    for entry in claim.dropped {
      switch entry.why {
      case "claimed", "healed", "parked", "delayed":
        logger.info(
          "dropped from the queue: it was pushed twice",
          metadata: ["event": "entry_dropped", "job_id": "\(entry.key)", "error": "\(entry.why)"])
      case "canceled", "crashed":
        logger.warning(
          "job given up", metadata: ["event": "job_\(entry.why)", "job_id": "\(entry.key)"])
      default:
        invalid.increment()
        logger.warning(
          "dropped from the queue: no job to do",
          metadata: ["event": "entry_dropped", "job_id": "\(entry.key)", "error": "\(entry.why)"])
      }
    }
  }

  /// Puts back what is in this worker's list but not in its hands.
  ///
  /// - Returns: whether Redis could be asked.
  @discardableResult
  func recover(because reason: String) async -> Bool {
    do {
      log(try await queue.recover(except: running.keys), because: reason)
      return true
    } catch {
      logger.warning(
        "cannot look for jobs left in this worker's list",
        metadata: ["event": "recover_failed", "error": "\(error)"])
      return false
    }
  }

  func log(_ recoveries: [Recovery], because reason: String) {
    for recovery in recoveries {
      let metadata: Logger.Metadata = [
        "event": recovery.isBack ? "job_requeued" : "job_\(recovery.what)",
        "job_id": "\(recovery.job)", "reason": "\(reason)",
      ]
      switch recovery.what {
      case "requeued", "released": logger.info("job put back", metadata: metadata)
      case "crashed", "timeout": logger.error("job given up", metadata: metadata)
      default: logger.info("job looked after: \(recovery.what)", metadata: metadata)
      }
    }
  }
}
