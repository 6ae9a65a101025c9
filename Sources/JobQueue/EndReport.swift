/// The report of how an execution ended, which can be sent again.
package struct EndReport: Sendable {
  private enum Content {
    case finish(JobEnd)
    case fail(JobFailure)
  }

  private let job: ClaimedJob
  private let content: Content
  private let fields: [String: String]

  package init(_ job: ClaimedJob, _ end: JobEnd, _ fields: [String: String] = [:]) {
    self.init(job: job, content: .finish(end), fields: fields)
  }

  package init(_ job: ClaimedJob, _ failure: JobFailure, _ fields: [String: String] = [:]) {
    self.init(job: job, content: .fail(failure), fields: fields)
  }

  private init(job: ClaimedJob, content: Content, fields: [String: String]) {
    // Its key and token are enough: reports are kept, and hashes may be large.
    self.job = job.withoutFields
    self.content = content
    self.fields = fields
  }

  package var key: String { job.key }
  package var token: OwnerToken { job.token }

  /// About what it takes to keep it.
  package var byteCount: Int {
    fields.reduce(200 + key.utf8.count) { $0 + $1.key.utf8.count + $1.value.utf8.count }
  }

  fileprivate func send(to queue: JobQueue, claiming count: Int) async throws -> Ending {
    switch content {
    case .finish(let end): try await queue.finish(job, end, fields, claiming: count)
    case .fail(let failure): try await queue.fail(job, failure, fields, claiming: count)
    }
  }
}

extension JobQueue {
  /// Writes how an execution ended, and takes the next jobs in the same call.
  ///
  /// Safe to repeat, also much later: what was written is not written again.
  package func report(_ end: EndReport, claiming count: Int = 0) async throws -> Ending {
    try await end.send(to: self, claiming: count)
  }

  /// See `RedisClient.connectionNumber`.
  package var connectionNumber: Int { redis.connectionNumber }

  /// See `RedisClient.connection(after:)`.
  package func connection(after number: Int) async -> Int {
    await redis.connection(after: number)
  }
}

extension ClaimedJob {
  fileprivate var withoutFields: ClaimedJob {
    ClaimedJob(
      job: Job(key: key, fields: [:]), token: token, statusBeforeClaim: statusBeforeClaim,
      deliveries: deliveries, attempts: attempts, timeLimit: timeLimit,
      hasCallbacks: hasCallbacks, hasParent: hasParent)
  }
}
