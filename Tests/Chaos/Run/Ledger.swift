import ChaosJobs
import JobQueue
import Synchronization

/// One job of a round, and what the test knows and has done of it.
struct TrackedJob: Sendable {
  let key: String
  let queue: String
  let task: ChaosTask
  let input: String
  /// Of a child.
  var parent: String?
  /// What a parent's children are to do.
  var childTasks: [ChaosTask] = []
  var children: [String] = []
  /// URLs that are told of its end.
  var callbacks = 0
  /// Whether the producer saw its submission succeed.
  var isSubmitted = false
  /// Whether it was certain that no failover can lose it: from then on all is promised.
  var isAccepted = false
  /// Whether it was certain that its hash is gone.
  var isGone = false
  /// What was done to it, with or without success.
  var wasCanceled = false
  /// How often it was to run again.
  var requeues = 0
  var wasRemoved = false
  /// Whether its control key was of another type at first.
  var hadOddControl = false
  /// Its end, once it was certain that no failover can lose it.
  var end: End?

  /// The fields that must not change after the end.
  struct End: Sendable, Hashable {
    var status: String
    var finishedAt: String
    var object: String
    var url: String
    var reason: String
    var errorCode: String
    /// How often it had been let run again before.
    var requeued: Int
  }
}

/// All jobs of a round.
final class Ledger: Sendable {
  private let jobs = Mutex<[String: TrackedJob]>([:])
  private let order = Mutex<[String]>([])

  var keys: [String] { order.withLock { $0 } }
  var all: [TrackedJob] { jobs.withLock { jobs in keys.compactMap { jobs[$0] } } }

  subscript(key: String) -> TrackedJob? { jobs.withLock { $0[key] } }

  func add(_ job: TrackedJob) {
    let isNew = jobs.withLock { jobs in
      defer { if jobs[job.key] == nil { jobs[job.key] = job } }
      return jobs[job.key] == nil
    }
    if isNew { order.withLock { $0.append(job.key) } }
  }

  func change(_ key: String, _ body: (inout TrackedJob) -> Void) {
    jobs.withLock { jobs in
      if var job = jobs[key] {
        body(&job)
        jobs[key] = job
      }
    }
  }

  /// Adds the children that a job will make, for the given number of times it was let run again.
  func addChildren(of job: TrackedJob, requeued: Int = 0) {
    let origin = job.key + (requeued > 0 ? "#\(requeued)" : "")
    for (index, task) in job.childTasks.enumerated() {
      let key = ChildJob(
        of: origin, index: index, queue: ChaosNames.childQueue, name: ChaosNames.childName(index),
        fields: [:]
      ).key
      add(
        TrackedJob(
          key: key, queue: ChaosNames.childQueue, task: task, input: job.input, parent: job.key))
      change(job.key) { if !$0.children.contains(key) { $0.children.append(key) } }
    }
  }
}
