import Buckets
import Logging

/// What the daemon wants to know of its bucket before it takes jobs.
extension Daemon {
  /// How long the start waits for a bucket that does not answer.
  private static let bucketTimeout: Duration = .seconds(10)

  /// Finds out whether the bucket can be used at all.
  ///
  /// - Throws: ``BucketError`` for what only other settings can change. A store that is away may be back
  ///   by the time a job needs it.
  func examine(_ bucket: any Bucket) async throws {
    let problem: BucketError? = try await withThrowingTaskGroup(
      of: BucketError?.self
    ) { group in
      group.addTask {
        do {
          try await bucket.check()
          return nil
        } catch let error as BucketError { return error }
      }
      group.addTask {
        try await Task.sleep(for: Self.bucketTimeout)
        return BucketError(
          .timeout, "the bucket did not answer for \(Self.bucketTimeout)", isRetryable: true)
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
    guard let problem else { return }
    guard problem.isRetryable else { throw problem }
    logger.warning(
      "the bucket does not answer; jobs wait for it",
      metadata: ["event": "bucket_unreachable", "error": "\(problem)"])
  }

  /// For the line at the start, and warnings of what should be changed.
  func describe(_ bucket: any Bucket) async -> Logger.Metadata {
    let facts = await bucket.facts()
    for warning in facts.warnings + configuration.uploads.targets.hosts.warnings {
      logger.warning("\(warning)", metadata: ["event": "bucket_advice"])
    }
    var metadata: Logger.Metadata = [:]
    for detail in facts.details { metadata["bucket_\(detail.name)"] = "\(detail.value)" }
    return metadata
  }
}
