import JobQueue
import Logging
import RedisClient
import Retrying

/// Takes jobs from a queue and works on several at a time, until it is told to stop.
///
/// Stopping has two steps: ``drain()`` takes no more jobs and lets those in work end; ``stop()``
/// ends their work too and puts them back.
package final class ConsumerService: Sendable {
  private let context: ConsumerContext
  private let slots: [JobSlot]
  private let free: FreeSlots
  private let intake: JobIntake
  private let card: [String: String]
  private let drained: AsyncStream<Void>
  private let drainSignal: AsyncStream<Void>.Continuation

  private var queue: JobQueue { context.queue }
  private var logger: Logger { context.logger }

  /// - Parameters:
  ///   - type: the consumer class, of which each slot gets an instance.
  ///   - slotCount: jobs worked on at a time.
  ///   - version: shown with the worker.
  ///   - options: what surrounds it.
  package init(
    _ type: Consumer.Type, context: ConsumerContext, slotCount: Int, version: String = "",
    options: ServiceOptions = ServiceOptions()
  ) {
    self.context = context
    slots = (1...slotCount).map { JobSlot(number: $0, type: type, context: context) }
    free = FreeSlots(slots)
    intake = JobIntake(context, options)
    card = [
      "consumer_type": context.settings.consumerType, "slots": String(slotCount),
      "started": Timestamp.now.description, "version": version,
    ]
    (drained, drainSignal) = AsyncStream.makeStream()
  }

  /// Works until it is drained or stopped and every job has ended.
  package func run() async {
    await withTaskGroup { group in
      group.addTask { await Watchkeeping(self.context, intake: self.intake, card: self.card).run() }
      await withTaskGroup { work in
        for slot in slots {
          work.addTask { await slot.serve(self.intake) { self.free.giveBack(slot) } }
        }
        await claimUntilDrained()
        for slot in slots { slot.close() }
      }
      group.cancelAll()
    }
    // What a claim took whose reply was lost during the drain.
    await intake.recover(because: .shutdown)
    do {
      try await queue.retire()
    } catch {
      // It expires.
      logger.debug("cannot remove the worker's card", metadata: ["error": "\(error)"])
    }
  }

  /// Takes no more jobs.
  package func drain() {
    intake.close()
    drainSignal.finish()
  }

  /// Takes no more jobs and puts those in work back to the queue.
  package func stop() {
    drain()
    intake.running.stopAll(because: .shutdown)
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
      intake.noteTurn()
      if mustRecover { mustRecover = await !intake.recover(because: .startup) }
      await free.waitForOne()
      if Task.isCancelled { return }
      do {
        try await claimOnce()
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

  /// However long a queue's limits let nothing begin: they can be changed meanwhile, and a process that
  /// tries nothing for long counts as hung.
  private var longestHold: Duration { min(.seconds(5), intake.options.hangLimit / 6) }

  /// Takes jobs for all free slots, or waits until it is worth to try again.
  private func claimOnce() async throws {
    let count = intake.allowance(of: free.count)
    guard count > 0 else { return await intake.breaker.waitUntilAllowed() }
    // In a task of its own, which a drain does not cancel: the reply of a claim that was sent must
    // be read, or its jobs sit in the processing list and nobody knows.
    let claim = try await Task { [intake] in try await intake.claim(upTo: count) }.value
    for job in claim.jobs {
      guard let slot = free.take() else { preconditionFailure("more jobs than free slots") }
      slot.hand(job)
    }
    if claim.hold != nil {
      try await Task.sleep(for: min(claim.wait ?? .seconds(1), longestHold))
    } else if claim.jobs.isEmpty, claim.dropped.isEmpty {
      if try await !queue.waitForJob(atMost: claim.wait) { intake.noteQuiet() }
    }
  }
}
