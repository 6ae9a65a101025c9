import JobQueue
import Logging
import RedisClient

/// Removes what jobs made for their children when the jobs have ended and no consumer was there to do it.
struct ObjectSweep: Sendable {
  private let context: ConsumerContext

  init(_ context: ConsumerContext) { self.context = context }

  /// Looks once at jobs of the queue.
  func run() async {
    do {
      for job in try await context.queue.endedObjectMakers() {
        await IntermediateObjects(of: job, origin: job, context: context, logger: context.logger)
          .remove()
      }
    } catch {
      if Task.isCancelled { return }
      context.logger.warning(
        "cannot look for what ended jobs left in the bucket",
        metadata: ["event": "sweep_failed", "error": "\(error)"])
    }
  }
}
