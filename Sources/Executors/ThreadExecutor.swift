import Dispatch

/// Runs the tasks that prefer it on one thread of its own.
///
/// Work that blocks or computes for long would hold up everything else on Swift's small shared
/// pool, health checks and heartbeats first. A task started with this preference, and its child
/// tasks, run their plain code here instead:
/// ```swift
/// await withTaskExecutorPreference(ThreadExecutor(label: "job 1")) { labels(of: image) }
/// ```
package final class ThreadExecutor: TaskExecutor {
  private let queue: DispatchQueue

  package init(label: String) {
    queue = DispatchQueue(label: label)
  }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let executor = asUnownedTaskExecutor()
    queue.async { job.runSynchronously(on: executor) }
  }
}
