import Executors
import JobQueue
import Logging
import RedisClient
import Retrying

/// One of the places in which a process works on a job: a thread, and a consumer of its own.
final class JobSlot: @unchecked Sendable {  // the consumer is touched by one job's task at a time
  private let consumer: Consumer
  private let context: ConsumerContext
  private let executor: ThreadExecutor
  private let inbox: AsyncStream<ClaimedJob>
  private let input: AsyncStream<ClaimedJob>.Continuation

  /// How often what was noted about a job is written while it runs.
  private static let writeInterval: Duration = .milliseconds(500)

  init(number: Int, type: Consumer.Type, context: ConsumerContext) {
    consumer = type.init(context)
    self.context = context
    executor = ThreadExecutor(label: "job \(number)")
    (inbox, input) = AsyncStream.makeStream()
  }

  /// Gives the slot its next job; it must be free.
  func hand(_ job: ClaimedJob) { input.yield(job) }

  /// Lets ``serve(_:whenFree:)`` end once the job in hand has.
  func close() { input.finish() }

  /// Works on what it is handed until it is closed.
  func serve(_ running: RunningJobs, whenFree: () -> Void) async {
    for await job in inbox {
      await work(on: job, running: running)
      running.remove(job.key)
      whenFree()
    }
  }

  /// Works on a job and writes how it ended.
  private func work(on claimed: ClaimedJob, running: RunningJobs) async {
    var logger = context.logger
    logger[metadataKey: "job_id"] = "\(claimed.key)"
    let run = JobRun(claimed, queue: context.queue, logger: logger)
    logger.info("job claimed", metadata: ["event": "job_claimed"])
    let clock = ContinuousClock()
    let start = clock.now

    let outcome = await consume(run, running: running)
    await end(run, outcome, duration: clock.now - start)
  }

  /// Runs the consumer, until it ends or is stopped: job lost, process ending, time over.
  private func consume(_ run: JobRun, running: RunningJobs) async -> Result<JobStatus, any Error> {
    let (stops, stop) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    running.begin(run) { stop.yield() }

    return await withTaskGroup(of: Result<JobStatus, any Error>?.self) { group in
      group.addTask(executorPreference: executor) { [self] in
        do { return .success(try await execute(run)) } catch { return .failure(error) }
      }
      group.addTask {
        for await _ in stops { break }
        return nil
      }
      group.addTask {
        while (try? await Task.sleep(for: Self.writeInterval)) != nil {
          // Lost is noted in the run, and stops the job as a heartbeat does.
          do { try await run.writePending() } catch { return nil }
        }
        return nil
      }
      if let limit = context.settings.jobTimeout {
        group.addTask {
          if (try? await Task.sleep(for: limit)) != nil { run.stop(because: .timeout(limit)) }
          return nil
        }
      }
      var outcome: Result<JobStatus, any Error>?
      // The first to end is the job, or what stops it; then everything is to end.
      for await result in group {
        outcome = outcome ?? result
        group.cancelAll()
      }
      return outcome ?? .failure(CancellationError())
    }
  }

  private func execute(_ run: JobRun) async throws -> JobStatus {
    let folder = try context.workFolder.makeJobFolder()
    return try await consumer.execute(JobExecution(run: run, folder: folder))
  }

  private func end(
    _ run: JobRun, _ outcome: Result<JobStatus, any Error>, duration: Duration
  ) async {
    switch (outcome, run.stopCause) {
    case (.success(let status), _) where status == .done:
      await finish(run, .done, duration: duration)
    case (_, .lost):
      run.logger.warning(
        "job stopped: another worker has it, or it was removed", metadata: ["event": "job_lost"])
    case (_, .shutdown): await release(run, reason: "shutdown")
    case (_, .timeout(let limit)):
      let error = JobError(
        .timeout, "the job took longer than \(limit.components.seconds) seconds (JOB_TIMEOUT)")
      await finish(run, error.end, duration: duration)
    case (.success(let status), nil) where status == .putBack:
      await release(run, reason: "retry")
    case (.success(let status), nil):
      let error = JobError(.internal, "the consumer ended the job with the status \"\(status)\"")
      await finish(run, error.end, duration: duration)
    case (.failure(let error), nil):
      let failure = JobError(error)
      // Not for the job's owner, but for whoever has to make space there or mend the program.
      let detail =
        failure.code == .internal ? "\(error) (files: \(context.workFolder.url.path))" : nil
      await finish(run, failure.end, duration: duration, detail: detail)
    }
  }

  private func finish(
    _ run: JobRun, _ end: JobEnd, duration: Duration, detail: String? = nil
  ) async {
    var fields = run.takePending()
    if case .done = end {
      fields[Field.progress] = "100"
      fields[Field.totalJobs] = fields[Field.totalJobs] ?? "1"
      fields[Field.totalTime] = duration.secondsText
      fields[Field.predictRetries] = String(run.predictRetries)
    }
    let time = Timestamp.now
    let queue = context.queue
    let ownership = await write(run) { try await queue.finish(run.claimed, end, fields, at: time) }
    guard ownership == .held else {
      return run.logger.warning(
        "result not written: this worker no longer has the job",
        metadata: ["event": "job_lost", "error": "\(ownership?.rawValue ?? "redis")"])
    }
    log(run, end, duration: duration, detail: detail)
  }

  private func release(_ run: JobRun, reason: String) async {
    let queue = context.queue
    let ownership = await write(run) { try await queue.release(run.claimed) }
    run.logger.info(
      "job put back",
      metadata: [
        "event": "job_requeued", "reason": "\(reason)",
        "error": ownership == .held ? "" : "\(ownership?.rawValue ?? "redis")",
      ])
  }

  /// Repeats a write that ends a job until Redis has it. If the process ends first, the job stays in
  /// the processing list, where the next start finds it.
  private func write(
    _ run: JobRun, _ body: () async throws -> Ownership
  ) async -> Ownership? {
    do {
      return try await retry(
        policy: { ($0 as? RedisError)?.mayPass == true ? .untilRedisIsBack : nil },
        onPause: { pause in
          run.logger.warning(
            "could not write the end of the job; trying again",
            metadata: ["event": "job_update_failed", "error": "\(pause.error)"])
        },
        operation: body)
    } catch {
      run.logger.error(
        "could not write the end of the job",
        metadata: ["event": "job_update_failed", "error_code": "redis", "error": "\(error)"])
      return nil
    }
  }

  private func log(_ run: JobRun, _ end: JobEnd, duration: Duration, detail: String?) {
    var metadata: Logger.Metadata = [
      "event": "job_finished", "outcome": "\(end.status)",
      "duration_ms": "\(duration.milliseconds)",
    ]
    for (stage, duration) in run.durations {
      metadata["\(stage.rawValue)_ms"] = "\(duration.milliseconds)"
    }
    if case .failed(let reason, let errorCode) = end {
      metadata["error_code"] = "\(errorCode)"
      metadata["error"] = "\(reason)"
      if let detail { metadata["detail"] = "\(detail)" }
      run.logger.error("job finished", metadata: metadata)
    } else {
      run.logger.info("job finished", metadata: metadata)
    }
  }
}
