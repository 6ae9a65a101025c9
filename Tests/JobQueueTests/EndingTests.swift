import RedisClient
import TestSupport
import Testing

@testable import JobQueue

/// Finish and fail: how executions end.
@Suite struct EndingTests {
  @Test(.redisServer) func `the end is written once and with all that belongs to it`() async throws
  {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let job = try await harness.claim("job", by: queue)

    #expect(try await queue.finish(job, .done, ["output_url": "u"]).outcome == .written)
    // The reply was lost: the same call again.
    #expect(try await queue.finish(job, .done, ["output_url": "v"]).outcome == .again)
    let failure = JobFailure(.input, reason: "Late: too late", errorCode: "internal")
    #expect(try await queue.fail(job, failure).outcome == .again)

    let fields = try await harness.hash("job")
    #expect(fields["status"] == "done")
    #expect(fields["output_url"] == "u")
    #expect(fields["finished_at"] == QueueHarness.time.description)
    #expect(fields["updated_at"] == QueueHarness.time.description)
    #expect(fields["reason"] == nil)
    #expect(try await harness.processing().isEmpty)
    #expect(try await harness.leases().isEmpty)
    #expect(
      try await harness.control("job") == ["done": job.token.rawValue, "queue": "predict"])
    #expect(try await harness.events("job") == ["started", "done"])
    #expect(try await harness.hash(Keys.statistics(of: "predict"))["done"] == "1")
    try await harness.expectNothingLeft()
  }

  @Test(.redisServer) func `the next jobs come with the report of an end`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let job = try await harness.claim("a", by: queue)
    try await harness.submit("b", "c", "d")
    let ending = try await queue.finish(job, .done, claiming: 2)
    #expect(ending.next.jobs.map(\.key) == ["b", "c"])
    #expect(try await harness.processing() == ["c", "b"])
    // A report that is executed again takes nothing.
    #expect(try await queue.finish(job, .done, claiming: 2).next.jobs.isEmpty)
    let failure = JobFailure(.input, reason: "R", errorCode: "invalid_input")
    let next = try await queue.fail(ending.next.jobs[0], failure, claiming: 1)
    #expect(next.outcome == .failed && next.next.jobs.map(\.key) == ["d"])
    // One that is refused does: the worker is free.
    try await harness.submit("e")
    let old = ClaimedJob(
      job: job.job, token: OwnerToken(rawValue: "old"), statusBeforeClaim: .new, deliveries: 1,
      attempts: 0, timeLimit: nil)
    let refused = try await queue.finish(old, .done, claiming: 1)
    #expect(refused.outcome == .lost && refused.next.jobs.map(\.key) == ["e"])
  }

  @Test(.redisServer) func `a hash is kept as long as settings say, unless its client did`()
    async throws
  {
    let harness = try QueueHarness()
    let queue = harness.worker()
    func ttl(_ key: String) async throws -> Int {
      try await harness.redis.command("TTL", key).decode()
    }
    let done = try await harness.claim("done", by: queue)
    #expect(try await ttl("done") == -1)
    _ = try await queue.finish(done, .done)
    #expect((259_190...259_200).contains(try await ttl("done")))
    let failed = try await harness.claim("failed", by: queue)
    _ = try await queue.fail(failed, JobFailure(.input, reason: "R", errorCode: "x"))
    #expect((604_790...604_800).contains(try await ttl("failed")))
    let own = try await harness.claim("own", by: queue)
    try await harness.redis.command("EXPIRE", "own", 100)
    _ = try await queue.finish(own, .done)
    #expect((1...100).contains(try await ttl("own")))
  }

  @Test(.redisServer) func `a failure of the input is final and a dead letter`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let job = try await harness.claim("job", by: queue)
    let failure = JobFailure(
      .input, reason: "InvalidInput: a.tif is empty", errorCode: "invalid_input")
    #expect(try await queue.fail(job, failure, ["scale": "2"]).outcome == .failed)
    let fields = try await harness.hash("job")
    #expect(fields["status"] == "failed")
    #expect(fields["reason"] == "InvalidInput: a.tif is empty")
    #expect(fields["error_code"] == "invalid_input")
    #expect(fields["scale"] == "2" && fields["attempts"] == "1")
    #expect(fields["finished_at"] == QueueHarness.time.description)
    #expect(try await queue.deadLetters(upTo: 10) == ["job"])
    #expect(try await queue.fail(job, failure).outcome == .again)
    try await harness.expectNothingLeft()
  }

  @Test(.redisServer) func `a failure that may pass is tried again after a pause`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    var job = try await harness.claim("job", by: queue, status: "waiting")
    let failure = JobFailure(.transient, reason: "Storage: away", errorCode: "storage")
    for (attempt, limit) in [(1, 2000), (2, 4000)] {
      let before = try await harness.now()
      _ = try await queue.update(job, ["progress": "50"])
      let ending = try await queue.fail(job, failure, chance: 0.5)
      #expect(ending.outcome == .retry && ending.retryDelay == .milliseconds(limit / 2))
      let due = try await harness.scores(Keys.delayed(in: "predict"))["job"].flatMap { Int($0) }
      #expect((before + limit / 2...before + limit / 2 + 20_000).contains(due ?? 0))
      let fields = try await harness.hash("job")
      #expect(fields["status"] == "waiting" && fields["attempts"] == "\(attempt)")
      #expect(fields["last_error"] == "Storage: away" && fields["progress"] == nil)
      #expect(fields["reason"] == nil && fields["finished_at"] == nil)
      #expect(try await harness.list().isEmpty)
      #expect(try await harness.processing().isEmpty)
      #expect(try await harness.leases().isEmpty)
      // Its reply was lost: the same call again.
      #expect(try await queue.fail(job, failure).outcome == .lost)
      try await harness.makeDue("job", in: Keys.delayed(in: "predict"))
      job = try #require(try await queue.claim(upTo: 1).jobs.first)
      // Failures and crashes are counted apart.
      #expect(job.attempts == attempt && job.deliveries == 1)
    }
    #expect(try await queue.fail(job, failure).outcome == .failed)
    #expect(try await harness.hash("job")["attempts"] == "3")
    #expect(try await queue.deadLetters(upTo: 10) == ["job"])
    try await harness.expectNothingLeft()
  }

  /// Retries, intervals and the pauses they make, in seconds.
  @Test(
    .redisServer,
    arguments: [
      (5, [10, 30, 60], [10, 10, 10, 30, 60]), (2, [10, 30, 60], [10, 30]), (3, [7], [7, 7, 7]),
    ])
  func `explicit intervals come in their order, the first repeated`(
    retries: Int, intervals: [Int], pauses: [Int]
  ) async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let schedule = RetrySchedule(
      maximumAttempts: retries + 1, intervals: intervals.map { .seconds($0) })
    _ = try await queue.submit("job", ["status": "new"], DeliveryOptions(retries: schedule))
    let failure = JobFailure(.transient, reason: "R", errorCode: "storage")
    var found: [Int] = []
    for _ in 0..<retries {
      let job = try #require(try await queue.claim(upTo: 1).jobs.first)
      let delay = try #require(try await queue.fail(job, failure).retryDelay)
      found.append(Int(delay.components.seconds))
      try await harness.makeDue("job", in: Keys.delayed(in: "predict"))
    }
    #expect(found == pauses)
    let job = try #require(try await queue.claim(upTo: 1).jobs.first)
    #expect(try await queue.fail(job, failure).outcome == .failed)
  }

  @Test(.redisServer) func `a queue's own schedule applies to jobs that bring none`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    try await queue.setLimits(
      QueueLimits(
        retries: RetrySchedule(maximumAttempts: 9, base: .seconds(100), cap: .seconds(150))))
    let failure = JobFailure(.transient, reason: "R", errorCode: "storage")
    var delays: [Duration?] = []
    var job = try await harness.claim("job", by: queue)
    for _ in 0..<2 {
      delays.append(try await queue.fail(job, failure, chance: 1).retryDelay)
      try await harness.makeDue("job", in: Keys.delayed(in: "predict"))
      job = try #require(try await queue.claim(upTo: 1).jobs.first)
    }
    #expect(delays == [.seconds(100), .seconds(150)])
  }

  @Test(.redisServer) func `a job there is no room for goes back without spending anything`()
    async throws
  {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let failure = JobFailure(.capacity, reason: "Full: no room", errorCode: "predict_unavailable")
    for _ in 0..<5 {
      let job = try #require(try await harness.claimOrSubmit("big", by: queue))
      try await harness.submit("small")
      let ending = try await queue.fail(job, failure)
      #expect(ending.outcome == .released && ending.retryDelay == nil)
      // After the others, and visible to those who count.
      #expect(try await harness.list() == ["big", "small"])
      let small = try #require(try await queue.claim(upTo: 1).jobs.first)
      _ = try await queue.finish(small, .done)
    }
    let job = try #require(try await queue.claim(upTo: 1).jobs.first)
    #expect(job.attempts == 0 && job.deliveries == 1)
    #expect(try await harness.control("big")["waits"] == "5")
    #expect(try await harness.hash("big")["last_error"] == "Full: no room")
  }

  @Test(.redisServer) func `those who asked are told of the end, once`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let options = DeliveryOptions(callbacks: ["https://a.example/x", "https://b.example/y"])
    _ = try await queue.submit("job", ["status": "new"], options)
    let job = try #require(try await queue.claim(upTo: 1).jobs.first)
    _ = try await queue.finish(job, .done, ["output_url": "u"])
    _ = try await queue.finish(job, .done, ["output_url": "u"])
    #expect(try await harness.scores(Keys.callbacks).keys.sorted() == ["job:done", "job:done:2"])
    let body = try await harness.hash(Keys.callback("job:done"))
    #expect(body["url"] == "https://a.example/x" && body["event"] == "done")
    #expect(body["job"] == "job" && body["output_url"] == "u" && body["tries"] == "0")
    try await harness.expectNothingLeft()
  }

  @Test(.redisServer) func `only as many dead letters are kept as settings say`() async throws {
    let harness = try QueueHarness { $0.deadLetterLimit = 2 }
    let queue = harness.worker()
    for i in 0..<4 {
      let job = try await harness.claim("job \(i)", by: queue)
      _ = try await queue.fail(job, JobFailure(.input, reason: "R", errorCode: "x"))
    }
    #expect(try await queue.deadLetters(upTo: 10).count == 2)
    #expect(try await queue.counts().dead == 2)
  }

  @Test(.redisServer) func `an end that another consumer wrote first stands`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let job = try await harness.claim("job", by: queue)
    try await harness.redis.command("HSET", "job", "status", "failed", "reason", "theirs")
    #expect(try await queue.finish(job, .done, ["output_url": "u"]).outcome == .lost)
    let fields = try await harness.hash("job")
    #expect(fields["status"] == "failed" && fields["output_url"] == nil)
    #expect(try await harness.processing().isEmpty)
    try await harness.expectNothingLeft()
  }

  @Test(.redisServer) func `a cancelled execution is a failure but no dead letter`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let job = try await harness.claim("job", by: queue)
    _ = try await queue.cancel("job")
    let failure = JobFailure(.transient, reason: "R", errorCode: "storage")
    #expect(try await queue.fail(job, failure).outcome == .canceled)
    let fields = try await harness.hash("job")
    #expect(fields["status"] == "failed" && fields["error_code"] == "canceled")
    #expect(fields["canceled"] == "1")
    #expect(try await queue.deadLetters(upTo: 10).isEmpty)
  }
}

extension QueueHarness {
  fileprivate func claimOrSubmit(_ key: String, by worker: JobQueue) async throws -> ClaimedJob? {
    if try await redis.command("EXISTS", key) == 0 { try await submit(key) }
    return try await worker.claim(upTo: 1).jobs.first
  }
}
