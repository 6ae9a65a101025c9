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

  /// Works on what it is handed until it is closed; `whenFree` is called after each time.
  func serve(_ intake: JobIntake, whenFree: () -> Void) async {
    for await job in inbox {
      var next: ClaimedJob? = job
      // The report of a job's end brings the next one.
      while let job = next {
        next = await work(on: job, intake: intake)
        intake.letGo(of: job)
        if let taken = next, !intake.isOpen {
          await putBack(taken, intake: intake)
          intake.letGo(of: taken)
          next = nil
        }
      }
      whenFree()
    }
  }

  /// Works on a job, writes how it ended, and returns the next one if there is one.
  private func work(on claimed: ClaimedJob, intake: JobIntake) async -> ClaimedJob? {
    var logger = context.logger
    logger[metadataKey: "job_id"] = "\(claimed.key)"
    let run = JobRun(
      claimed, queue: context.queue, logger: logger, breaker: intake.breaker)
    logger.info(
      "job claimed",
      metadata: [
        "event": "job_claimed", "delivery": "\(claimed.deliveries)",
        "attempt": "\(claimed.attempts + 1)",
      ])
    let clock = ContinuousClock()
    let start = clock.now

    let outcome = await consume(run, running: intake.running)
    return await JobReport(run, context: context, intake: intake, duration: clock.now - start)
      .send(outcome)
  }

  private func putBack(_ job: ClaimedJob, intake: JobIntake) async {
    var logger = context.logger
    logger[metadataKey: "job_id"] = "\(job.key)"
    let queue = context.queue
    let ownership = await persist(logger: logger) { try await queue.release(job) }
    if ownership == .held { intake.metrics.requeued(.shutdown) }
    logger.info(
      "job put back",
      metadata: [
        "event": "job_requeued", "reason": "shutdown",
        "error": ownership == .held ? "" : "\(ownership?.rawValue ?? "redis")",
      ])
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
      if let limit = run.claimed.timeLimit {
        group.addTask {
          if (try? await Task.sleep(for: limit)) != nil { run.stop(because: .timeout) }
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
    // What cannot be sent in the end is not begun.
    let target = try await context.uploads.target(of: run.claimed)
    let folder = try context.workFolder.makeJobFolder()
    return try await consumer.execute(JobExecution(run: run, folder: folder, target: target))
  }
}
