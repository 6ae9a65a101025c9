/// A job that this worker has taken and nobody else has.
public struct ClaimedJob: Sendable {
  public let job: Job
  /// What a job that goes back to its queue becomes again.
  public let statusBeforeClaim: JobStatus

  public init(job: Job, statusBeforeClaim: JobStatus) {
    self.job = job
    self.statusBeforeClaim = statusBeforeClaim
  }

  public var key: String { job.key }
}

/// What a claim found at the running end of a queue.
public struct Claim: Sendable {
  public let jobs: [ClaimedJob]
  /// Entries taken off the queue because there is nothing to do for them.
  public let dropped: [DroppedEntry]

  public struct DroppedEntry: Sendable, Equatable {
    public let key: String
    /// `missing` without a job hash, the type of the key if it is none, or its final status.
    public let why: String
  }
}

/// Whether a worker still has a job it took.
public enum Ownership: String, Sendable {
  case held = "ok"
  /// Another took it, as the janitor does with jobs of pods it thinks dead. Stop working on it.
  case lost
  /// Its hash is gone: a client let it expire. Stop working on it.
  case gone
}

/// How a job ended.
public enum JobEnd: Sendable {
  case done
  /// - reason: its last line is a whole sentence for the job's owner.
  case failed(reason: String, errorCode: String)

  public var status: JobStatus {
    switch self {
    case .done: .done
    case .failed: .failed
    }
  }
}
