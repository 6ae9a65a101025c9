import JobQueue
import Logging
import Metrics
import RedisClient
import Retrying

/// Takes jobs from a queue and works on several at a time, until it is told to stop.
///
/// Stopping has two steps: ``drain()`` takes no more jobs and lets those in work end; ``stop()``
/// ends their work too and puts them back.
public final class ConsumerService: Sendable {
  private let context: ConsumerContext
  private let slots: [JobSlot]
  private let free: FreeSlots
  private let running = RunningJobs()
  private let drained: AsyncStream<Void>
  private let drainSignal: AsyncStream<Void>.Continuation
  /// Entries of the queue that were no job to do.
  private let invalid: Counter

  private var queue: JobQueue { context.queue }
  private var logger: Logger { context.logger }

  /// - Parameters:
  ///   - type: the consumer class, of which each slot gets an instance.
  ///   - slotCount: jobs worked on at a time.
  public init(_ type: Consumer.Type, context: ConsumerContext, slotCount: Int) {
    self.context = context
    slots = (1...slotCount).map { JobSlot(number: $0, type: type, context: context) }
    free = FreeSlots(slots)
    invalid = Counter(
      label: "kiosk_jobs_finished_total",
      dimensions: [("queue", context.queue.name), ("outcome", "invalid")],
      factory: context.metrics)
    (drained, drainSignal) = AsyncStream.makeStream()
  }

  /// Works until it is drained or stopped and every job has ended.
  public func run() async {
    await withTaskGroup { group in
      group.addTask { await self.beat() }
      await withTaskGroup { work in
        for slot in slots {
          work.addTask { await slot.serve(self.running) { self.free.giveBack(slot) } }
        }
        await claimUntilDrained()
        for slot in slots { slot.close() }
      }
      group.cancelAll()
    }
    // What a claim took whose reply was lost during the drain.
    await recover()
  }

  /// Takes no more jobs.
  public func drain() { drainSignal.finish() }

  /// Takes no more jobs and puts those in work back to the queue.
  public func stop() {
    drain()
    running.stopAll(because: .shutdown)
  }

  private func claimUntilDrained() async {
    await withTaskGroup { group in
      group.addTask { await self.claim() }
      group.addTask { for await _ in self.drained {} }
      await group.next()
      group.cancelAll()
    }
  }

  private func claim() async {
    var failures = 0
    var mustRecover = true
    while !Task.isCancelled {
      if mustRecover { mustRecover = await !recover() }
      await free.waitForOne()
      if Task.isCancelled { return }
      do {
        if try await claimOnce() == 0 { _ = try await queue.waitForJob() }
        failures = 0
      } catch {
        if Task.isCancelled { return }
        if (error as? RedisError)?.outcomeUnknown != false { mustRecover = true }
        logger.warning(
          "cannot claim jobs", metadata: ["event": "claim_failed", "error": "\(error)"])
        try? await Task.sleep(for: RetryPolicy.untilRedisIsBack.delay(beforeRetry: failures + 1))
        failures += 1
      }
    }
  }

  /// - Returns: the entries taken off the queue, jobs or not.
  private func claimOnce() async throws -> Int {
    // In a task of its own, which a drain does not cancel: the reply of a claim that was sent must
    // be read, or its jobs sit in the processing list and nobody knows.
    let count = free.count
    let claim = try await Task { [queue] in try await queue.claim(upTo: count) }.value
    for entry in claim.dropped {
      invalid.increment()
      logger.warning(
        "dropped from the queue: no job to do",
        metadata: ["event": "entry_dropped", "job_id": "\(entry.key)", "error": "\(entry.why)"])
    }
    for job in claim.jobs {
      guard let slot = free.take() else { preconditionFailure("more jobs than free slots") }
      running.hold(job.key)
      slot.hand(job)
    }
    return claim.jobs.count + claim.dropped.count
  }

  /// Puts back what is in this worker's list but not in its hands.
  @discardableResult
  private func recover() async -> Bool {
    do {
      for key in try await queue.recover(except: running.keys) {
        logger.info(
          "job put back: it was left in this worker's list",
          metadata: ["event": "job_requeued", "job_id": "\(key)", "reason": "startup"])
      }
      return true
    } catch {
      logger.warning(
        "cannot look for jobs left in this worker's list",
        metadata: ["event": "recover_failed", "error": "\(error)"])
      return false
    }
  }

  /// Keeps `updated_at` of the jobs in hand fresh, and stops those that another has taken.
  private func beat() async {
    while (try? await Task.sleep(for: context.settings.heartbeatInterval)) != nil {
      do {
        for key in try await queue.heartbeat(running.keys) {
          running.stop(key, because: .lost)
        }
      } catch {
        logger.warning(
          "cannot refresh the running jobs",
          metadata: ["event": "heartbeat_failed", "error": "\(error)"])
      }
    }
  }
}
