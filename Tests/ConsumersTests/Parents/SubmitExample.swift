import JobQueue
import RedisConsumer
import TestSupport
import Testing

/// Submits a job for later and one for now.
private final class SubmittingConsumer: Consumer {
  override func consume(_ job: Job) async throws -> JobStatus {
    let report = JobSubmission(queue: "reports", originalName: "r", inputFileName: "uploads/r")
    let preview = JobSubmission(queue: "previews", originalName: "p", inputFileName: "uploads/p")
    try await submit(report, as: "report", .after(.seconds(3600)))
    try await submit(
      preview, as: "preview", .next, retries: RetrySchedule(maximumAttempts: 1),
      timeout: .seconds(20))
    return .done
  }
}

@Suite struct SubmitExample {
  @Test(.redisServer) func `a submitted job runs when, as often and as long as it was told`()
    async throws
  {
    let harness = try ConsumerHarness()
    let waiting = try await JobSubmission(
      queue: "previews", originalName: "w", inputFileName: "uploads/w"
    ).submit(to: harness.redis, submitter: "test")
    let key = try await harness.submit()
    try await harness.withService(SubmittingConsumer.self) { _ in
      let fields = try await harness.end(of: key)
      #expect(fields["status"] == "done")
    }
    #expect(try await harness.list("reports").isEmpty)
    let reports = JobQueue(name: "reports", worker: "tool", redis: harness.redis)
    #expect(try await reports.counts().delayed == 1)
    #expect(try await reports.claim(upTo: 1).jobs.isEmpty)

    let previews = JobQueue(name: "previews", worker: "tool", redis: harness.redis)
    let preview = try #require(try await previews.claim(upTo: 1).jobs.first)
    #expect(preview.key != waiting && preview.timeLimit == .seconds(20))
    let failure = JobFailure(.transient, reason: "R", errorCode: "storage")
    #expect(try await previews.fail(preview, failure).outcome == .failed)
  }
}
