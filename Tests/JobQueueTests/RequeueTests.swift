import RedisClient
import TestSupport
import Testing

@testable import JobQueue

/// Jobs that run again after their end.
@Suite struct RequeueTests {
  private static let failure = JobFailure(.input, reason: "R", errorCode: "x")
  private static let options = DeliveryOptions(
    retries: RetrySchedule(maximumAttempts: 7, base: .seconds(1), cap: .seconds(9)),
    timeout: .seconds(77), callbacks: ["https://a.example/1", "https://a.example/2"])

  /// A job with options of its own, in hand.
  private func claim(_ harness: QueueHarness, _ queue: JobQueue) async throws -> ClaimedJob {
    _ = try await queue.submit("job", ["status": "new"], Self.options)
    return try #require(try await queue.claim(upTo: 1).jobs.first)
  }

  private func callbacks(_ harness: QueueHarness) async throws -> Set<String> {
    Set(try await harness.scores(Keys.callbacks).keys)
  }

  @Test(.redisServer, arguments: ["done", "failed", "canceled", "crashed"])
  func `a job that runs again keeps what it was submitted with`(end: String) async throws {
    let harness = try QueueHarness { $0.crashLimit = 1 }
    let queue = harness.worker()
    let job = try await claim(harness, queue)
    switch end {
    case "done": _ = try await queue.finish(job, .done)
    case "failed": _ = try await queue.fail(job, Self.failure)
    case "canceled":
      _ = try await queue.cancel("job")
      _ = try await queue.release(job)
    default:
      try await harness.endLease("job")
      _ = try await queue.reap(every: .zero)
    }
    #expect(["done", "failed"].contains(try await harness.hash("job")["status"]))

    #expect(try await queue.requeue("job") == .requeued)

    let again = try #require(try await queue.claim(upTo: 1).jobs.first)
    #expect(again.timeLimit == .seconds(77))
    #expect(again.deliveries == 1 && again.attempts == 0)
    // The second of seven attempts comes after a second, not after the workers' two.
    let retry = try await queue.fail(
      again, JobFailure(.transient, reason: "R", errorCode: "x"), chance: 1)
    #expect(retry.retryDelay == .seconds(1))
    try await harness.makeDue("job", in: Keys.delayed(in: "predict"))
    let last = try #require(try await queue.claim(upTo: 1).jobs.first)
    _ = try await queue.finish(last, .done)
    let first = end == "crashed" ? "failed" : end
    #expect(
      try await callbacks(harness) == [
        "job:\(first)", "job:\(first):2", "job:done:run2", "job:done:2:run2",
      ])
    try await harness.expectNothingLeft()
  }

  @Test(.redisServer) func `what a failed job was submitted with is kept as long as its hash`()
    async throws
  {
    let harness = try QueueHarness()
    let queue = harness.worker()
    func ttl(_ key: String) async throws -> Int {
      try await harness.redis.command("TTL", Keys.control(of: key)).decode()
    }
    let job = try await claim(harness, queue)
    _ = try await queue.fail(job, Self.failure)
    #expect((604_790...604_800).contains(try await ttl("job")))
    #expect(try await queue.requeue("job") == .requeued)
    // A client's own time counts, but the report may come again for an hour.
    try await harness.redis.command("EXPIRE", "job", 9000)
    let again = try #require(try await queue.claim(upTo: 1).jobs.first)
    _ = try await queue.fail(again, Self.failure)
    #expect((8990...9000).contains(try await ttl("job")))
    let short = try await harness.claim("short", by: queue)
    try await harness.redis.command("EXPIRE", "short", 100)
    _ = try await queue.fail(short, Self.failure)
    #expect((3590...3600).contains(try await ttl("short")))
    let done = try await harness.claim("done", by: queue)
    _ = try await queue.finish(done, .done)
    #expect((3590...3600).contains(try await ttl("done")))
  }

  @Test(.redisServer) func `a job goes back to its own queue whichever is named`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let other = JobQueue(name: "other", worker: "tool", redis: harness.redis)
    let job = try await harness.claim("job", by: queue)
    #expect(try await other.requeue("job") == .live)
    _ = try await queue.fail(job, Self.failure)
    #expect(try await other.requeue("job") == .requeued)
    #expect(try await harness.list() == ["job"])
    #expect(try await harness.list("other").isEmpty)
    #expect(try await queue.deadLetters(upTo: 9).isEmpty)
    #expect(try await harness.events("job").last == "requeued")
  }

  @Test(.redisServer) func `a job is cancelled in its own queue whichever is named`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let other = JobQueue(name: "other", worker: "tool", redis: harness.redis)
    _ = try await queue.submit("remembered", ["status": "new"], Self.options)
    #expect(try await other.cancel("remembered") == .canceled)
    #expect(try await harness.list().isEmpty)
    #expect(try await harness.events("remembered").last == "canceled")
    // Nothing is known of the queue of this one.
    try await harness.submit("unknown")
    #expect(try await other.cancel("unknown") == .absent)
    #expect(try await harness.hash("unknown")["status"] == "new")
    #expect(try await queue.cancel("unknown") == .canceled)
  }

  @Test(.redisServer) func `a new job of an old key has nothing of the old one`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    _ = try await queue.fail(try await claim(harness, queue), Self.failure)
    try await harness.redis.command("DEL", "job", Keys.callbacks)
    _ = try await queue.submit("job", ["status": "new"])
    let job = try #require(try await queue.claim(upTo: 1).jobs.first)
    #expect(job.timeLimit == nil)
    _ = try await queue.finish(job, .done)
    #expect(try await callbacks(harness).isEmpty)
  }

  // MARK: Parents

  private func children(_ count: Int) -> [ChildJob] {
    (0..<count).map {
      ChildJob(of: "parent", index: $0, queue: "predict", name: "\($0)", fields: [:])
    }
  }

  @Test(.redisServer) func `a parked parent waits for the new run of its child`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let parent = try await harness.claim("parent", by: queue)
    _ = try await queue.park(parent, waitingFor: children(2), .collectAll)
    let jobs = try await queue.claim(upTo: 2).jobs
    _ = try await queue.fail(jobs[0], Self.failure)
    #expect(try await harness.hash("parent")["progress"] == "50")

    #expect(try await queue.requeue(jobs[0].key) == .requeued)
    _ = try await queue.finish(jobs[1], .done)

    #expect(try await harness.list() == [jobs[0].key])
    // It does not go back.
    #expect(try await harness.hash("parent")["progress"] == "50")
    let again = try #require(try await queue.claim(upTo: 1).jobs.first)
    _ = try await queue.finish(again, .done)
    #expect(try await harness.list() == ["parent"])
    #expect(try await harness.hash("parent")["progress"] == "100")
  }

  @Test(.redisServer) func `a parent that goes on is not told of the new run of its child`()
    async throws
  {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let parent = try await harness.claim("parent", by: queue)
    _ = try await queue.park(parent, waitingFor: children(1), .collectAll)
    let job = try #require(try await queue.claim(upTo: 1).jobs.first)
    _ = try await queue.fail(job, Self.failure)
    let back = try #require(try await queue.claim(upTo: 1).jobs.first)
    #expect(back.key == "parent")
    #expect(try await queue.requeue(job.key) == .requeued)
    #expect(try await harness.control(job.key)["parent"] == nil)
    _ = try await queue.finish(back, .done)
    let again = try #require(try await queue.claim(upTo: 1).jobs.first)
    #expect(again.key == job.key)
    _ = try await queue.finish(again, .done)
    #expect(try await harness.list().isEmpty)
    try await harness.expectNothingLeft()
  }

  @Test(.redisServer) func `a parent that runs again has its old children cancelled`() async throws
  {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let parent = try await harness.claim("parent", by: queue)
    let children = children(120)
    _ = try await queue.park(parent, waitingFor: children, .collectAll)
    #expect(try await queue.cancel("parent") == .canceled)
    #expect(try await harness.list().count == 20)
    #expect(try await queue.requeue("parent") == .requeued)
    #expect(try await harness.list() == ["parent"])
    #expect(try await queue.counts().parked == 0)
  }
}
