import JobQueue
import Logging

/// What a process does beside its jobs: shows that they live, stops those that are not its own any
/// more, and looks after jobs of workers that are lost.
struct Watchkeeping: Sendable {
  private let queue: JobQueue
  private let intake: JobIntake
  private let card: [String: String]
  private let objects: ObjectSweep
  private let logger: Logger

  /// - Parameter card: what the process says of itself.
  init(_ context: ConsumerContext, intake: JobIntake, card: [String: String]) {
    queue = context.queue
    objects = ObjectSweep(context)
    logger = context.logger
    self.intake = intake
    self.card = card
  }

  /// Keeps watch until it is cancelled.
  func run() async {
    await withTaskGroup { group in
      group.addTask { await beat() }
      group.addTask { await watchContact() }
      group.addTask { await reap() }
      group.addTask { await reconcile() }
      group.addTask { await hearCancellations() }
    }
  }

  private func beat() async {
    repeat {
      let sent = ContinuousClock.now
      let beats = intake.running.beats
      do {
        var card = card
        card["state"] = intake.isOpen ? "running" : "draining"
        let answers = try await queue.heartbeat(beats, card: card)
        intake.running.confirm(beats, at: sent)
        for beat in beats {
          if let answer = answers[beat.job] { obey(answer, beat) }
        }
      } catch {
        if Task.isCancelled { return }
        logger.warning(
          "cannot renew the leases of the running jobs",
          metadata: ["event": "heartbeat_failed", "error": "\(error)"])
      }
    } while (try? await Task.sleep(for: queue.settings.heartbeatInterval)) != nil
  }

  private func obey(_ answer: BeatAnswer, _ beat: JobBeat) {
    let cause: JobRun.StopCause =
      switch answer {
      case .lost, .gone, .stalled: .lost
      case .canceled: .canceled
      case .timeout: .timeout
      }
    if answer == .stalled {
      logger.error(
        "job stopped: it gave no sign of life for too long (STALL_AFTER)",
        metadata: ["event": "job_stalled", "job_id": "\(beat.job)"])
    }
    // By its token: a job that was parked or put back meanwhile may have come back already.
    intake.running.stop(beat.job, token: beat.token, because: cause)
  }

  /// Stops jobs whose lease may end because Redis cannot be reached: before another takes them.
  private func watchContact() async {
    let limit = queue.settings.contactLimit
    while (try? await Task.sleep(for: limit / 20)) != nil {
      for key in intake.running.stopUnconfirmed(for: limit) {
        logger.error(
          "job stopped: Redis has been away so long that another may take it",
          metadata: ["event": "job_lost", "job_id": "\(key)"])
      }
    }
  }

  private func reap() async {
    let interval = queue.settings.reapInterval
    // Jitter, so that processes that were started together do not come together.
    while (try? await Task.sleep(for: interval * .random(in: 0.75...1.25))) != nil {
      await look("reaped") { try await queue.reap(every: min(.seconds(2), interval / 2)) }
    }
  }

  private func reconcile() async {
    while (try? await Task.sleep(for: .seconds(60) * .random(in: 0.75...1.25))) != nil {
      await look("reconciled") { try await queue.reconcile() }
      await objects.run()
    }
  }

  private func look(_ reason: String, _ body: () async throws -> [Recovery]) async {
    do {
      intake.log(try await body(), because: reason)
    } catch {
      if Task.isCancelled { return }
      logger.warning(
        "cannot look after jobs of lost workers",
        metadata: ["event": "reap_failed", "reason": "\(reason)", "error": "\(error)"])
    }
  }

  /// A heartbeat tells of cancellations as well, but later.
  private func hearCancellations() async {
    while !Task.isCancelled {
      do {
        try await queue.withCancellations { job in
          intake.running.stop(job, because: .canceled)
        }
      } catch {
        logger.debug("cannot hear cancellations", metadata: ["error": "\(error)"])
      }
      try? await Task.sleep(for: .seconds(5))
    }
  }
}
