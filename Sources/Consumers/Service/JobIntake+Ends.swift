import JobQueue
import Logging
import RedisClient
import Retrying

/// Ends that a failover or a restart of Redis has lost.
extension JobIntake {
  /// Sends ends again whenever Redis is connected to anew, until the task is cancelled.
  func keepEnds() async {
    var connection = queue.connectionNumber
    while !Task.isCancelled {
      connection = await queue.connection(after: connection)
      do {
        try await retry(
          policy: { ($0 as? RedisError)?.mayPass == true ? .untilRedisIsBack : nil },
          operation: resendEnds)
      } catch {
        if Task.isCancelled { return }
        logger.warning(
          "cannot make sure that Redis has the ends of jobs",
          metadata: ["event": "resend_failed", "error": "\(error)"])
      }
    }
  }

  /// Sends the ends of jobs again that went over an earlier connection. Where Redis has them, nothing
  /// is changed. Claims nothing.
  func resendEnds() async throws {
    let connection = queue.connectionNumber
    for entry in ends.entries(before: connection) {
      let ending = try await queue.report(entry.report)
      ends.settle(entry, ending.outcome, on: connection)
      log(ending.outcome, of: entry)
    }
  }

  private func log(_ outcome: Ending.Outcome, of entry: RecentEnds.Entry) {
    var metadata: Logger.Metadata = ["job_id": "\(entry.report.key)"]
    switch outcome {
    case .again: return
    case .written, .failed, .retry, .released, .canceled:
      metadata["event"] = "end_resent"
      logger.warning("Redis had lost the end of a job, which was written again", metadata: metadata)
    case .lost, .gone:
      // One that is to be tried again is nobody's, or another's: both are in order.
      if entry.outcome == .retry || entry.outcome == .released { return }
      metadata["event"] = "end_lost"
      metadata["error"] = "\(outcome.rawValue)"
      logger.warning(
        "Redis had lost a job with its end: it runs again, or ran elsewhere", metadata: metadata)
    }
  }
}
