/// A job that this worker has taken and nobody else has.
package struct ClaimedJob: Sendable {
  package let job: Job
  /// What a job that goes back to its queue becomes again.
  package let statusBeforeClaim: JobStatus

  package init(job: Job, statusBeforeClaim: JobStatus) {
    self.job = job
    self.statusBeforeClaim = statusBeforeClaim
  }

  package var key: String { job.key }
}

/// What a claim found at the running end of a queue.
package struct Claim: Sendable {
  package let jobs: [ClaimedJob]
  /// Entries taken off the queue because there is nothing to do for them.
  package let dropped: [DroppedEntry]

  package struct DroppedEntry: Sendable, Equatable {
    package let key: String
    /// `missing` without a job hash, the type of the key if it is none, or its final status.
    package let why: String
  }
}

/// Whether a worker still has a job it took.
package enum Ownership: String, Sendable {
  case held = "ok"
  /// Another took it, as the janitor does with jobs of pods it thinks dead. Stop working on it.
  case lost
  /// Its hash is gone: a client let it expire. Stop working on it.
  case gone
}

/// How a job ended.
package enum JobEnd: Sendable {
  case done
  /// - reason: its last line is a whole sentence for the job's owner.
  case failed(reason: String, errorCode: String)

  package var status: JobStatus {
    switch self {
    case .done: .done
    case .failed: .failed
    }
  }
}
