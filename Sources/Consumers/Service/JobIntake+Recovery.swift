import JobQueue
import Logging

/// Jobs that nobody works on although they are in somebody's list.
extension JobIntake {
  /// When they were found.
  enum RecoveryCause: String {
    case startup, shutdown, reaped, reconciled
    case replyLost = "reply_lost"

    fileprivate var requeue: DeliveryMetrics.Requeue {
      switch self {
      case .startup, .replyLost: .startup
      case .shutdown: .shutdown
      case .reaped, .reconciled: .reaped
      }
    }
  }

  /// Puts back what is in this worker's list but not in its hands.
  ///
  /// - Returns: whether Redis could be asked.
  @discardableResult
  func recover(because cause: RecoveryCause) async -> Bool {
    do {
      // A job that has ended is in the list as well if Redis has lost its end; that is sent again.
      try await resendEnds()
      let held = running.keys + ends.endedKeys
      note(try await queue.recover(except: held), because: cause)
      return true
    } catch {
      logger.warning(
        "cannot look for jobs left in this worker's list",
        metadata: ["event": "recover_failed", "error": "\(error)"])
      return false
    }
  }

  func note(_ recoveries: [Recovery], because cause: RecoveryCause) {
    for recovery in recoveries {
      let metadata: Logger.Metadata = [
        "event": recovery.isBack ? "job_requeued" : "job_\(recovery.what)",
        "job_id": "\(recovery.job)", "reason": "\(cause.rawValue)",
      ]
      switch recovery.what {
      case "requeued", "released":
        metrics.requeued(cause.requeue)
        logger.info("job put back", metadata: metadata)
      case "crashed", "timeout":
        metrics.finished(.failed)
        metrics.failed(recovery.what == "timeout" ? .timeout : .lostWorker)
        logger.error("job given up", metadata: metadata)
      case "canceled":
        metrics.finished(.canceled)
        metrics.failed(.canceled)
        logger.info("job cancelled", metadata: metadata)
      default: logger.info("job looked after: \(recovery.what)", metadata: metadata)
      }
    }
  }
}
