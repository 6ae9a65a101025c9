import RedisClient
import TestSupport
import Testing

@testable import JobQueue

/// What tools read of queues, and how they forget dead letters.
@Suite struct InspectionTests {
  @Test(.redisServer) func `queues are found by their lists, counts and settings`() async throws {
    let harness = try QueueHarness()
    try await harness.redis.command("LPUSH", "pushed", "a")
    try await harness.redis.command("LPUSH", "processing-python:pod-7", "a", "b")
    try await harness.redis.command("HSET", Keys.configuration(of: "paused"), "paused", "1")
    try await harness.redis.command("LPUSH", "foreign:list", "a")
    try await harness.redis.command("LPUSH", "kiosk:low:other", "a")
    _ = try await harness.worker().submit("job", ["status": "new"], DeliveryOptions(.urgent))
    _ = try await harness.worker().heartbeat([])
    let directory = try await QueueDirectory.read(harness.redis)
    #expect(directory.queues == ["paused", "predict", "pushed", "python"])
    #expect(directory.processingLists == ["python": ["processing-python:pod-7"]])
    #expect(!directory.isCut)
  }

  @Test(.redisServer) func `an overview counts jobs by their places`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    _ = try await queue.heartbeat([])
    let done = try await harness.claim("done", by: queue)
    _ = try await queue.finish(done, .done)
    let failed = try await harness.claim("failed", by: queue)
    _ = try await queue.fail(failed, JobFailure(.input, reason: "R", errorCode: "x"))
    _ = try await harness.claim("running", by: queue)
    try await harness.redis.command("LPUSH", "processing-predict:python", "a", "b")
    _ = try await queue.submit(
      "delayed", ["status": "new"], DeliveryOptions(.delayed(.seconds(99))))
    let made = Timestamp(microseconds: Timestamp.now.microseconds - 100_000_000)
    _ = try await queue.submit("next", ["created_at": made.description])
    _ = try await queue.submit("last", ["status": "new"])
    try await queue.setLimits(QueueLimits(concurrency: 4, rate: 2.5))

    let directory = try await QueueDirectory.read(harness.redis)
    let found = try await QueueOverview.read(["predict", "nothing"], directory, harness.redis)
    let overview = try #require(found.first)
    #expect(overview.waiting == 2 && overview.processing == 3 && overview.backlog == 5)
    #expect(overview.delayed == 1 && overview.parked == 0 && overview.dead == 1)
    #expect(overview.workers == 1 && !overview.isPaused)
    #expect(overview.concurrencyLimit == 4 && overview.rateLimit == 2.5)
    #expect(try #require(overview.oldestAge) >= .seconds(99))
    // Two ends in less than the shortest time that tells a rate.
    #expect(overview.endsPerMinute == 2)
    #expect(overview.timeToEmpty == .seconds(150))
    let empty = try #require(found.last)
    #expect(empty.backlog == 0 && empty.endsPerMinute == nil && empty.oldestAge == nil)
    #expect(empty.timeToEmpty == .zero)
  }

  @Test(.redisServer) func `a queue out of order is still looked at`() async throws {
    let harness = try QueueHarness()
    for key in ["predict", Keys.events(of: "predict"), Keys.workers(of: "predict")] {
      try await harness.redis.command("SET", key, "junk")
    }
    try await harness.redis.command("ZADD", Keys.deadLetters(of: "predict"), 1, "job")
    let overview = try await QueueOverview.read(["predict"], QueueDirectory(), harness.redis)
    #expect(overview.first?.dead == 1 && overview.first?.waiting == 0)
  }

  @Test(.redisServer) func `jobs are listed in the order in which they come`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    // More than are asked for in one exchange.
    let keys = (0..<450).map { "job\($0)" }
    for key in keys { _ = try await queue.submit(key, ["status": "new"]) }
    try await harness.redis.command("HSET", "job444", "last_error", "Out Of Memory")
    let listing = JobListing("predict", try await .read(harness.redis), harness.redis)
    let all = try await listing.jobs(.waiting, limit: 1000)
    #expect(all.map(\.key) == keys)
    #expect(all.map(\.position) == Array(1...450))
    #expect(try await listing.jobs(.waiting, limit: 3).map(\.key) == ["job0", "job1", "job2"])
    let match = try await listing.jobs(.waiting, matching: "out of mem", limit: 9)
    #expect(match.map(\.key) == ["job444"] && match.first?.position == 445)
    #expect(try await listing.jobs(.failed, limit: 9).isEmpty)
  }

  @Test(.redisServer) func `every state has its jobs`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    for key in ["done", "again"] {
      _ = try await queue.finish(try await harness.claim(key, by: queue), .done)
    }
    _ = try await queue.requeue("again")
    _ = try await queue.claim(upTo: 1)
    let failed = try await harness.claim("failed", by: queue)
    _ = try await queue.fail(failed, JobFailure(.input, reason: "R", errorCode: "x"))
    try await harness.redis.command("DEL", "failed")
    try await harness.redis.command("LPUSH", "processing-predict:python", "foreign")
    _ = try await queue.submit("canceled", ["status": "new"])
    _ = try await queue.cancel("canceled")
    _ = try await queue.submit(
      "delayed", ["status": "new"], DeliveryOptions(.delayed(.seconds(99))))
    let parent = try await harness.claim("parent", by: queue)
    let child = ChildJob(of: "parent", index: 0, queue: "predict", name: "c", fields: [:])
    _ = try await queue.park(parent, waitingFor: [child], .collectAll)

    let listing = JobListing("predict", try await .read(harness.redis), harness.redis)
    var found: [ListedJob.State: [ListedJob]] = [:]
    for state in ListedJob.State.allCases {
      found[state] = try await listing.jobs(state, limit: 100)
    }
    #expect(
      found.mapValues { Set($0.map(\.key)) } == [
        .waiting: [child.key], .processing: ["again", "foreign"], .delayed: ["delayed"],
        .parked: ["parent"], .done: ["done"], .failed: ["failed"], .canceled: ["canceled"],
      ])
    #expect(found[.failed]?.first?.isExpired == true)
    let running = try #require(found[.processing]?.first { $0.key == "again" })
    #expect(running.worker == "pod-1" && running.time != nil)
    let foreign = try #require(found[.processing]?.first { $0.key == "foreign" })
    #expect(foreign.worker == "python" && foreign.time == nil)
    let due = try #require(found[.delayed]?.first?.time)
    #expect(try await due > harness.now())
  }

  @Test(.redisServer) func `a job's queue is the one that has it`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let failed = try await harness.claim("b", by: queue)
    try await harness.submit("other:a.tif:1")
    _ = try await queue.fail(failed, JobFailure(.input, reason: "R", errorCode: "x"))
    try await harness.redis.command("HSET", "foreign", "status", "started", "updated_by", "python")
    try await harness.redis.command("LPUSH", "processing-predict:python", "foreign")
    try await harness.redis.command("HSET", "predict:c:2", "status", "done")
    try await harness.redis.command("HSET", "unknown", "status", "done")

    let locator = JobLocator(try await .read(harness.redis), harness.redis)
    let jobs = ["other:a.tif:1", "b", "foreign", "predict:c:2", "unknown", "nowhere:x"]
    var queues: [String?] = []
    for job in jobs { queues.append(try await locator.queue(of: job)) }
    #expect(queues == ["predict", "predict", "predict", "predict", nil, nil])
  }

  @Test(.redisServer) func `old dead letters are forgotten and younger ones stay`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let failed = try await harness.claim("young", by: queue)
    _ = try await queue.fail(failed, JobFailure(.input, reason: "R", errorCode: "x"))
    let dead = Keys.deadLetters(of: "predict")
    let old = try await harness.now() - 3_600_000
    // More than one call forgets.
    for index in 0..<250 {
      try await harness.redis.command("ZADD", dead, old - index, "old\(index)")
    }
    try await harness.redis.command("HSET", "old0", "status", "failed")

    #expect(try await queue.deadLetterCount(olderThan: .seconds(3500)) == 250)
    #expect(try await queue.purgeDeadLetters(olderThan: .seconds(7200)) == 0)
    #expect(try await queue.purgeDeadLetters(olderThan: .seconds(3500)) == 250)
    #expect(try await queue.deadLetters(upTo: 999) == ["young"])
    #expect(try await harness.hash("old0") == ["status": "failed"])
    #expect(try await harness.hash(Keys.statistics(of: "predict"))["purged"] == "250")
    #expect(try await queue.purgeDeadLetters(olderThan: .zero) == 1)
    #expect(try await queue.deadLetters(upTo: 9).isEmpty)
  }

  @Test(.redisServer) func `a purge leaves keys of other types alone`() async throws {
    let harness = try QueueHarness()
    try await harness.redis.command("SET", Keys.deadLetters(of: "predict"), "junk")
    await #expect(throws: RedisError.self) {
      try await harness.worker().purgeDeadLetters(olderThan: .zero)
    }
    #expect(try await harness.redis.command("GET", Keys.deadLetters(of: "predict")) == "junk")
  }

  @Test(.redisServer) func `worker cards tell what workers do`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    _ = try await harness.claim("job", by: queue)
    _ = try await queue.heartbeat([], card: ["state": "running", "version": "1.2"])
    _ = try await harness.worker("lost").heartbeat([])
    try await harness.redis.command(
      "ZADD", Keys.workers(of: "predict"), try await harness.now() - 60_000, "lost")
    let cards = try await WorkerCard.read("predict", harness.redis)
    #expect(cards.map(\.name) == ["lost", "pod-1"])
    #expect(cards.map(\.isSilent) == [true, false])
    #expect(cards.map { $0.jobs.map(\.key) } == [[], ["job"]])
    #expect(cards.last?.fields["version"] == "1.2")
  }
}
