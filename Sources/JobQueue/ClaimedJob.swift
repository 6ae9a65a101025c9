/// A job that this worker has taken and nobody else has.
package struct ClaimedJob: Sendable {
  package let job: Job
  package let token: OwnerToken
  /// What a job that goes back to its queue becomes again.
  package let statusBeforeClaim: JobStatus
  /// How often it was claimed without an orderly end, this time included.
  package let deliveries: Int
  /// How often it was executed and failed before.
  package let attempts: Int
  /// How long it may take from now; nil: as long as it likes.
  package let timeLimit: Duration?
  /// Whether somebody wants to be called when it has ended.
  package var hasCallbacks = false
  /// Whether another job waits for it.
  package var hasParent = false

  package var key: String { job.key }
}

/// What a claim found at the running end of a queue.
package struct Claim: Sendable {
  package var jobs: [ClaimedJob]
  /// Entries taken off the queue because there is nothing to do for them.
  package var dropped: [DroppedEntry]
  /// Why nothing may be taken now, if so.
  package var hold: Hold?
  /// When it is worth to look again even if nothing is pushed.
  package var wait: Duration?

  package struct DroppedEntry: Sendable, Equatable {
    package let key: String
    /// `missing` without a job hash, the type of the key if it is none, its final status, or what its
    /// place is instead: `claimed`, `healed`, `parked`, `delayed`; `canceled` or `crashed` when it
    /// has been ended for that.
    package let why: String
  }

  /// What keeps a queue's jobs from being taken.
  package enum Hold: String, Sendable {
    case paused, concurrency, rate
  }

  package init(
    jobs: [ClaimedJob] = [], dropped: [DroppedEntry] = [], hold: Hold? = nil,
    wait: Duration? = nil
  ) {
    self.jobs = jobs
    self.dropped = dropped
    self.hold = hold
    self.wait = wait
  }
}

/// Whether a worker still has a job it took.
package enum Ownership: String, Sendable {
  case held = "ok"
  /// It is this worker's, and somebody wants it stopped.
  case canceled
  /// Another has it, or has ended it. Stop working on it.
  case lost
  /// Its hash is gone: a client let it expire. Stop working on it.
  case gone
}
