import JobQueue

/// Jobs that make other jobs.
extension Consumer {
  /// The most children a job may have: each is part of its hash.
  private static let mostChildren = 10_000

  /// - Throws: ``JobError`` `invalidInput` for more children than a job may have.
  func checkCount(ofChildren count: Int) throws {
    guard count <= Self.mostChildren else {
      throw JobError(
        .invalidInput, "the job has \(count) parts, and the most there may be is 10000")
    }
  }

  /// Lets the job wait for others, which are made for it, without holding a slot meanwhile.
  ///
  /// ```swift
  /// guard run.isResumed else { return try park(parts) }
  /// let results = try await children()
  /// ```
  /// Nothing happens until `consume(_:)` returns what this returns. The job then has the status
  /// `waiting` and its `progress` follows the children. When they have ended, `consume(_:)` is
  /// called again, by any worker, with ``JobRun/isResumed`` set, as often as a crash makes necessary.
  /// A job may park again then; `children()` has those of all times.
  ///
  /// The same jobs in the same order are made once, however often this is repeated, so describe them
  /// in an order that does not depend on chance. If the job fails or is cancelled, children that
  /// have not ended are cancelled.
  ///
  /// - Parameter share: what the children are of the job's progress, in 0...1; less than 1 where much
  ///   is done after them.
  /// - Returns: what `consume(_:)` is to return.
  /// - Throws: ``JobError`` `invalidInput` for more than 10,000.
  public func park(
    _ children: [JobSubmission], _ policy: ParkingPolicy = .collectAll, share: Double = 1
  ) throws -> JobStatus {
    let known = childKeys
    let made = children.enumerated().map { index, child in
      ChildJob(
        of: run.origin, index: known.count + index, queue: child.list, name: child.originalName,
        fields: child.producerFields)
    }
    return try park(made, policy, share, known: known)
  }

  /// Lets the job wait for jobs that there are already: those that ``submit(_:as:)`` made, or
  /// children that had not ended when the first failed. As ``park(_:_:)`` otherwise.
  public func park(
    untilEnded keys: [String], _ policy: ParkingPolicy = .collectAll, share: Double = 1
  ) throws -> JobStatus {
    let existing = keys.map { ChildJob(existing: $0, queue: run.queue.name) }
    return try park(existing, policy, share, known: childKeys)
  }

  private func park(
    _ children: [ChildJob], _ policy: ParkingPolicy, _ share: Double, known: [String]
  ) throws -> JobStatus {
    var seen = Set(known)
    let all = known + children.map(\.key).filter { seen.insert($0).inserted }
    try checkCount(ofChildren: all.count)
    run.parking = Parking(
      children: children, policy: policy, percent: share > 0 ? Int(min(share, 1) * 100) : 0,
      all: all)
    return .waiting
  }

  /// What became of the jobs that this one waited for, in the order in which it named them.
  ///
  /// - Parameter fields: to be read beside `status`, `original_name`, `output_file_name`,
  ///   `output_url`, `reason` and `error_code`.
  public func children(reading fields: [String] = []) async throws -> [ChildResult] {
    let keys = childKeys
    let found = try await untilRedisAnswers {
      try await run.queue.fields(ChildResult.standardFields + fields, of: keys)
    }
    return Swift.zip(keys, found).map { ChildResult(key: $0, fields: $1) }
  }

  /// Lets the children expire, as the Python service does: the job has what it wants of them.
  func expireChildren() async throws {
    let keys = childKeys
    try await untilRedisAnswers {
      try await run.queue.expire(keys, after: context.settings.childLifetime)
    }
  }

  private var childKeys: [String] {
    (run.job[Field.children] ?? "").split(separator: ",").map(String.init)
  }

  /// Puts another job into a queue, once however often this job is executed.
  ///
  /// - Parameters:
  ///   - name: tells it from others that this job submits.
  ///   - place: when it is to run.
  ///   - retries: how often it is tried, and at what distance; nil: as its queue has it.
  ///   - timeout: how long it may take; nil: as its workers have it.
  /// - Returns: its key, with which ``park(untilEnded:_:)`` can wait for it.
  @discardableResult
  public func submit(
    _ submission: JobSubmission, as name: String, _ place: JobPlace = .last,
    retries: RetrySchedule? = nil, timeout: Duration? = nil
  ) async throws -> String {
    var submission = submission
    submission.delivery = DeliveryOptions(place.option, retries: retries, timeout: timeout)
    return try await untilRedisAnswers { [submission] in
      try await run.queue.submit(submission, named: name, from: run.origin)
    }
  }
}

/// When a submitted job is to run.
public enum JobPlace: Sendable, Hashable {
  /// After all that wait in its queue.
  case last
  /// Before all that wait.
  case next
  /// Before all that wait, once the time is over; until then it is in no queue.
  case after(Duration)

  fileprivate var option: DeliveryOptions.Place {
    switch self {
    case .last: .normal
    case .next: .urgent
    case .after(let delay): .delayed(delay)
    }
  }
}
