import JobQueue
import Logging

/// Notices that a process has ceased to take jobs although there are some: a hang that nothing else
/// would end.
struct ClaimWatch: Sendable {
  private let queue: JobQueue
  private let intake: JobIntake
  private let options: ServiceOptions
  private let logger: Logger

  init(_ context: ConsumerContext, intake: JobIntake) {
    queue = context.queue
    logger = context.logger
    self.intake = intake
    options = intake.options
  }

  /// Watches until the task is cancelled, no more jobs are taken, or a hang was told.
  func run() async {
    var lastLook = ContinuousClock.now
    // Since when at each look the process was idle and jobs could have been taken.
    var idleSince: ContinuousClock.Instant?
    while (try? await Task.sleep(for: options.hangLimit / 4)) != nil, intake.isOpen {
      let look = ContinuousClock.now
      defer { lastLook = look }
      guard intake.running.isEmpty, intake.lastTurn < lastLook, await isWanted() else {
        idleSince = nil
        continue
      }
      let since = idleSince ?? lastLook
      idleSince = since
      // One may have been taken meanwhile.
      if since.duration(to: look) >= options.hangLimit, intake.lastTurn < lastLook, intake.isOpen {
        logger.critical(
          "this process takes no jobs although there are some; it ends, to be started anew",
          metadata: ["event": "claiming_hangs", "seconds": "\(since.duration(to: .now))"])
        return options.onHang()
      }
    }
  }

  /// Whether Redis has a job for this process.
  private func isWanted() async -> Bool {
    // Without Redis there is nothing to take.
    (try? await queue.hasClaimableJob()) ?? false
  }
}
