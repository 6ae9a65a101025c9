import JobQueue
import Logging
import RedisClient
import Retrying

/// Tells Redis and the log how an execution of a job ended.
struct JobReport {
  private let run: JobRun
  private let context: ConsumerContext
  private let intake: JobIntake
  private let duration: Duration

  init(_ run: JobRun, context: ConsumerContext, intake: JobIntake, duration: Duration) {
    self.run = run
    self.context = context
    self.intake = intake
    self.duration = duration
  }

  private var queue: JobQueue { context.queue }
  private var metrics: DeliveryMetrics { intake.metrics }

  /// - Returns: the next job, if one was taken with the report.
  func send(_ outcome: Result<JobStatus, any Error>) async -> ClaimedJob? {
    switch (outcome, run.stopCause) {
    case (.success(let status), _) where status == .done: return await finish()
    case (.success(let status), _) where status == .waiting && run.parking != nil:
      return await park()
    case (_, .lost):
      metrics.leaseLost()
      run.logger.warning(
        "job stopped: another worker has it, or it was removed", metadata: ["event": "job_lost"])
      return nil
    case (_, .shutdown): await release(because: "shutdown", .shutdown)
    case (_, .lostContact):
      metrics.leaseLost()
      await release(because: "lost_contact", .retry)
    // The release of a job that is to be cancelled ends it.
    case (_, .canceled): await release(because: "canceled", .retry)
    case (_, .timeout):
      let limit = run.claimed.timeLimit?.secondsText ?? "the time it has"
      return await fail(
        JobError(.timeout, "the job took longer than \(limit) seconds (JOB_TIMEOUT)"))
    case (.success(let status), nil) where status == .putBack:
      await release(because: "retry", .retry)
    case (.success(let status), nil):
      return await fail(
        JobError(.internal, "the consumer ended the job with the status \"\(status)\""))
    case (.failure(let error), nil):
      let failure = JobError(error)
      // Not for the job's owner, but for whoever has to make space there or mend the program.
      let detail =
        failure.code == .internal ? "\(error) (files: \(context.workFolder.url.path))" : nil
      return await fail(failure, detail: detail)
    }
    return nil
  }

  private func finish() async -> ClaimedJob? {
    await run.flushLog()
    var fields = run.takeAll()
    fields[Field.progress] = "100"
    addSums(
      [
        Field.totalJobs: "1", Field.totalTime: duration.secondsText,
        Field.predictRetries: String(run.predictRetries),
      ], to: &fields)
    return await end(EndReport(run.claimed, .done, fields))
  }

  /// What the consumer wrote itself is kept: a parent's sums are those of its children.
  private func addSums(_ sums: [String: String], to fields: inout [String: String]) {
    fields.merge(sums.filter { !run.hasNoted($0.key) }) { noted, _ in noted }
  }

  /// Makes the children that the job is to wait for, and gives it up until they have ended.
  private func park() async -> ClaimedJob? {
    guard let parking = run.parking else { return nil }
    await run.flushLog()
    var fields = run.takeAll()
    // That of the children begins.
    fields[Field.progress] = nil
    fields.merge(parking.fields) { $1 }
    addSums([Field.predictRetries: String(run.predictRetries)], to: &fields)
    do {
      let ownership = try await persistently(logger: run.logger) {
        try await queue.park(
          run.claimed, waitingFor: parking.children, parking.policy, fields,
          share: parking.percent)
      }
      switch ownership {
      case .held:
        run.logger.info(
          "job waits for others",
          metadata: [
            "event": "job_parked", "children": "\(parking.children.count)",
            "duration_ms": "\(duration.milliseconds)",
          ])
      case .canceled: await release(because: "canceled", .retry)
      case .lost, .gone:
        metrics.leaseLost()
        run.logger.warning(
          "job stopped: another worker has it, or it was removed", metadata: ["event": "job_lost"])
      }
      return nil
    } catch {
      return await fail(JobError(error))
    }
  }

  private func fail(_ error: JobError, detail: String? = nil) async -> ClaimedJob? {
    await run.flushLog()
    var fields = run.takeAll()
    addSums([Field.predictRetries: String(run.predictRetries)], to: &fields)
    return await end(EndReport(run.claimed, error.failure, fields), error, detail: detail)
  }

  private func end(
    _ report: EndReport, _ error: JobError? = nil, detail: String? = nil
  ) async -> ClaimedJob? {
    var sent = ContinuousClock.now
    var connection = 0
    let ending = await persist(logger: run.logger) {
      sent = .now
      connection = queue.connectionNumber
      return try await queue.report(report, claiming: intake.allowance(of: 1))
    }
    guard let ending else { return nil }
    intake.admit(ending.next, since: sent)
    if ending.outcome != .lost, ending.outcome != .gone {
      intake.ends.note(report, ending.outcome, on: connection)
    }
    // A report that was sent twice took its next job the first time.
    if ending.outcome == .again || ending.outcome == .lost {
      await intake.recover(because: .replyLost)
    }
    count(ending.outcome, error)
    log(ending, error, detail: detail)
    if run.claimed.hasCallbacks, ending.outcome.isFinal { intake.options.onCallback() }
    return ending.next.jobs.first
  }

  private func count(_ outcome: Ending.Outcome, _ error: JobError?) {
    switch outcome {
    case .lost, .gone: return metrics.refused()
    case .retry, .released: metrics.requeued(.retry)
    case .canceled: return countCancellation()
    case .written, .again, .failed:
      metrics.finished(
        error == nil ? .done : .failed, after: duration, stages: run.durations)
    }
    if let error { metrics.failed(error.code) }
  }

  private func countCancellation() {
    metrics.finished(.canceled, after: duration, stages: run.durations)
    metrics.failed(.canceled)
  }

  private func release(because reason: String, _ cause: DeliveryMetrics.Requeue) async {
    let ownership = await persist(logger: run.logger) { try await queue.release(run.claimed) }
    if ownership == .held { metrics.requeued(cause) }
    if ownership == .canceled {
      countCancellation()
      if run.claimed.hasCallbacks { intake.options.onCallback() }
      return run.logger.info("job cancelled", metadata: ["event": "job_canceled"])
    }
    run.logger.info(
      "job put back",
      metadata: [
        "event": "job_requeued", "reason": "\(reason)",
        "error": ownership == .held ? "" : "\(ownership?.rawValue ?? "redis")",
      ])
  }

  private func log(_ ending: Ending, _ error: JobError?, detail: String?) {
    var metadata: Logger.Metadata = ["duration_ms": "\(duration.milliseconds)"]
    for (stage, duration) in run.durations {
      metadata["\(stage.rawValue)_ms"] = "\(duration.milliseconds)"
    }
    if let error {
      metadata["error_code"] = "\(error.code.rawValue)"
      metadata["error"] = "\(error.reason)"
      if let detail { metadata["detail"] = "\(detail)" }
    }
    switch ending.outcome {
    case .lost, .gone:
      run.logger.warning(
        "result not written: this worker no longer has the job",
        metadata: ["event": "job_lost", "error": "\(ending.outcome.rawValue)"])
    case .retry, .released:
      metadata["event"] = "job_requeued"
      metadata["reason"] = "retry"
      metadata["delay_ms"] = "\(ending.retryDelay?.milliseconds ?? 0)"
      run.logger.warning("job failed and will be tried again", metadata: metadata)
    case .written, .again, .failed, .canceled:
      metadata["event"] = "job_finished"
      metadata["outcome"] = error == nil ? "done" : "failed"
      if error == nil {
        run.logger.info("job finished", metadata: metadata)
      } else {
        run.logger.error("job finished", metadata: metadata)
      }
    }
  }
}

/// Repeats a write that ends a job until Redis has it. If the process ends first, the job's lease ends
/// and another takes it.
func persist<Result>(
  logger: Logger, _ body: () async throws -> Result
) async -> Result? {
  do {
    return try await persistently(logger: logger, body)
  } catch {
    logger.error(
      "could not write the end of the job",
      metadata: ["event": "job_update_failed", "error_code": "redis", "error": "\(error)"])
    return nil
  }
}

/// Repeats a write until Redis has it, or refuses it.
private func persistently<Result>(
  logger: Logger, _ body: () async throws -> Result
) async throws -> Result {
  try await retry(
    policy: { ($0 as? RedisError)?.mayPass == true ? .untilRedisIsBack : nil },
    onPause: { pause in
      logger.warning(
        "could not write the end of the job; trying again",
        metadata: ["event": "job_update_failed", "error": "\(pause.error)"])
    },
    operation: body)
}
