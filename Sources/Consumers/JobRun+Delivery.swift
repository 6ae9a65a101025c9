import JobQueue

extension JobRun {
  /// Which execution this is, counting those that failed for reasons that may pass: 1, 2, ...
  public var attempt: Int { claimed.attempts + 1 }

  /// How often the job was given to a worker without an orderly end, this time included. Over 1,
  /// another process was lost while it worked on the job.
  public var deliveries: Int { claimed.deliveries }

  /// Until when the job may take, by `JOB_TIMEOUT` or its own limit; nil: as long as it likes.
  public var deadline: ContinuousClock.Instant? { claimed.timeLimit.map { start + $0 } }

  /// Whether the job waited for others before, by ``Consumer/park(_:_:)``, and now goes on.
  public var isResumed: Bool { claimed.statusBeforeClaim == .waiting }

  /// What keys of jobs made for this one are derived from: the same in each execution, until somebody
  /// lets the job run again after its end.
  var origin: String { job.key + (job[Field.requeued].map { "#" + $0 } ?? "") }

  /// Whether work on the job is to stop: it was cancelled, its time is over, another worker has it,
  /// or the process ends. For loops that are no task and so cannot ask `Task.isCancelled`.
  public var isCancelled: Bool { stopCause != nil }
}
