import RedisClient
import TestSupport
import Testing

@testable import JobQueue

/// Heartbeat, update and release: what a worker does with a job it has.
@Suite struct HoldingTests {
  @Test(.redisServer) func `a heartbeat renews leases and shows that the process is alive`()
    async throws
  {
    let harness = try QueueHarness()
    let queue = harness.worker(boot: "b00t")
    let job = try await harness.claim("job", by: queue)
    try await harness.redis.command("HSET", "job", "updated_at", "old")
    try await harness.endLease("job")
    let now = try await harness.now()

    let answers = try await queue.heartbeat(
      [JobBeat(job: "job", token: job.token)], card: ["state": "running"])

    #expect(answers.isEmpty)
    let end = try await harness.scores(Keys.leases(of: "predict"))["job"].flatMap { Int($0) } ?? 0
    #expect(end >= now + 30_000)
    #expect(try await harness.hash("job")["updated_at"] == QueueHarness.time.description)
    let card = try await harness.hash(Keys.card(of: "pod-1"))
    #expect(card["state"] == "running" && card["queue"] == "predict" && card["jobs"] == "1")
    #expect(card["boot"] == "b00t" && card["beat"] == QueueHarness.time.description)
    #expect(try await harness.redis.command("TTL", Keys.card(of: "pod-1")).integer ?? 0 > 3000)
    #expect(try await harness.scores(Keys.workers(of: "predict")).keys.sorted() == ["pod-1"])
    try await queue.retire()
    #expect(try await harness.redis.command("EXISTS", Keys.card(of: "pod-1")) == 0)
    #expect(try await harness.scores(Keys.workers(of: "predict")).isEmpty)
  }

  @Test(.redisServer) func `a heartbeat names the jobs that do not go on, and why`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    for key in ["fine", "taken", "gone", "silent", "late", "unwanted", "ended"] {
      try await harness.submit(key)
    }
    let jobs = try await queue.claim(upTo: 7).jobs
    // Another worker's token.
    try await harness.redis.command("HSET", Keys.control(of: "taken"), "owner", "other")
    try await harness.redis.command("DEL", "gone")
    try await harness.redis.command("HSET", Keys.control(of: "late"), "deadline", "1")
    #expect(try await queue.cancel("unwanted") == .running)
    // A consumer without leases.
    try await harness.redis.command("HSET", "ended", "status", "done", "output_url", "u")
    for key in ["silent", "late"] { try await harness.endLease(key) }

    let answers = try await queue.heartbeat(
      jobs.map {
        JobBeat(
          job: $0.key, token: $0.token, silence: $0.key == "silent" ? .seconds(900) : .seconds(899))
      })

    #expect(
      answers == [
        "taken": .lost, "gone": .gone, "silent": .stalled, "late": .timeout,
        "unwanted": .canceled, "ended": .lost,
      ])
    // Not renewed.
    let leases = try await harness.scores(Keys.leases(of: "predict"))
    #expect(leases["silent"] == "1" && leases["late"] == "1")
    #expect(leases["gone"] == nil && leases["ended"] == nil)
    #expect(try await harness.redis.command("EXISTS", "gone", Keys.control(of: "gone")) == 0)
    #expect(try await harness.hash("ended")["output_url"] == "u")
    #expect(
      try await Set(harness.processing()) == ["fine", "taken", "silent", "late", "unwanted"])
  }

  @Test(.redisServer) func `a lease does not outlast the job's time`() async throws {
    let harness = try QueueHarness {
      $0.leaseTime = .seconds(30)
      $0.jobTimeout = .seconds(5)
    }
    let queue = harness.worker()
    let job = try await harness.claim("job", by: queue)
    #expect(job.timeLimit == .seconds(5))
    let deadline = try #require(try await harness.control("job")["deadline"])
    #expect(try await harness.scores(Keys.leases(of: "predict"))["job"] == deadline)
    #expect(try await queue.heartbeat([JobBeat(job: "job", token: job.token)]).isEmpty)
    #expect(try await harness.scores(Keys.leases(of: "predict"))["job"] == deadline)
  }

  @Test(.redisServer) func `hundreds of jobs are renewed in one beat`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    for i in 0..<250 { try await harness.submit("job \(i)") }
    let jobs = try await queue.claim(upTo: 250).jobs
    #expect(jobs.count == 250)
    for job in jobs { try await harness.endLease(job.key) }
    let answers = try await queue.heartbeat(jobs.map { JobBeat(job: $0.key, token: $0.token) })
    #expect(answers.isEmpty)
    #expect(try await harness.scores(Keys.leases(of: "predict")).values.allSatisfy { $0 != "1" })
  }

  /// What may have become of an entry that a janitor took.
  enum Theft: CaseIterable { case pushed, dropped }

  @Test(.redisServer, arguments: Theft.allCases)
  func `an entry that a janitor took comes back while nobody else has the job`(theft: Theft)
    async throws
  {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let job = try await harness.claim("job", by: queue)
    try await harness.stealEntry("job")
    if theft == .pushed { try await harness.redis.command("LPUSH", "predict", "job") }

    #expect(try await queue.heartbeat([JobBeat(job: "job", token: job.token)]).isEmpty)

    #expect(try await harness.processing() == ["job"])
    #expect(try await harness.list().isEmpty)
    #expect(try await queue.finish(job, .done).outcome == .written)
  }

  @Test(.redisServer) func `a job that another consumer works on is lost and looked after`()
    async throws
  {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let job = try await harness.claim("job", by: queue)
    try await harness.stealEntry("job")
    // It knows no leases.
    try await harness.redis.command("LPUSH", "processing-predict:python", "job")
    try await harness.redis.command("HSET", "job", "updated_by", "python", "status", "predicting")

    #expect(try await queue.update(job, ["status": "post-processing"]) == .lost)

    #expect(try await harness.hash("job")["status"] == "predicting")
    #expect(try await harness.leases().isEmpty)
    #expect(try await harness.scores(Keys.limbo(of: "predict")).keys.sorted() == ["job"])
    #expect(try await harness.list("processing-predict:python") == ["job"])
    #expect(try await queue.finish(job, .done, ["output_url": "u"]).outcome == .lost)
    #expect(try await harness.hash("job")["output_url"] == nil)
  }

  @Test(.redisServer) func `fields and log lines are written and told`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let job = try await harness.claim("job", by: queue)
    #expect(
      try await queue.update(
        job, ["status": "predicting", "progress": "15"], log: ["one", "two"]) == .held)
    let fields = try await harness.hash("job")
    #expect(fields["status"] == "predicting" && fields["progress"] == "15")
    #expect(fields["updated_by"] == "pod-1")
    #expect(try await harness.events("job") == ["started", "progress", "predicting"])
    #expect(try await harness.redis.command("XLEN", Keys.log(of: "job")) == 2)
    #expect(try await harness.redis.command("TTL", Keys.log(of: "job")).integer ?? -1 > 0)
    #expect(try await queue.cancel("job") == .running)
    #expect(try await queue.update(job, ["progress": "20"]) == .canceled)
  }

  @Test(.redisServer) func `a final status is refused as an update`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let job = try await harness.claim("job", by: queue)
    await #expect(throws: RedisError.self) { try await queue.update(job, ["status": "done"]) }
    #expect(try await harness.hash("job")["status"] == "started")
  }

  /// How a hash can vanish.
  enum Vanishing: CaseIterable { case deleted, replaced }

  @Test(.redisServer, arguments: Vanishing.allCases)
  func `a hash that a client removed is not made again`(vanishing: Vanishing) async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let job = try await harness.claim("job", by: queue)
    try await harness.redis.command("DEL", "job")
    if vanishing == .replaced { try await harness.redis.command("SET", "job", "mine") }
    let before = try await harness.redis.command("DUMP", "job")

    #expect(try await queue.update(job, ["status": "predicting"]) == .gone)
    #expect(try await queue.finish(job, .done).outcome == .lost)

    #expect(try await harness.redis.command("DUMP", "job") == before)
    #expect(try await harness.processing().isEmpty)
    #expect(try await harness.leases().isEmpty)
    try await harness.expectNothingLeft()
  }

  @Test(.redisServer) func `a released job runs next and looks as before its claim`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let job = try await harness.claim("parent", by: queue, status: "waiting")
    try await harness.submit("later")
    #expect(try await queue.update(job, ["progress": "50"]) == .held)

    #expect(try await queue.release(job) == .held)

    #expect(try await harness.list() == ["later", "parent"])
    let fields = try await harness.hash("parent")
    #expect(fields["status"] == "waiting")
    #expect(fields["progress"] == nil)
    #expect(try await harness.leases().isEmpty)
    // Its reply was lost: the same call again.
    #expect(try await queue.release(job) == .lost)
    #expect(try await harness.list() == ["later", "parent"])
    // No delivery was spent.
    #expect(try await queue.claim(upTo: 1).jobs.first?.deliveries == 1)
  }

  @Test(.redisServer) func `a released job that is to be cancelled has ended`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let job = try await harness.claim("job", by: queue)
    #expect(try await queue.cancel("job") == .running)
    #expect(try await queue.release(job) == .canceled)
    #expect(try await harness.hash("job")["reason"] == "Canceled: by user")
    #expect(try await harness.list().isEmpty)
  }

  @Test(.redisServer) func `an earlier worker's token changes nothing`() async throws {
    let harness = try QueueHarness()
    let first = harness.worker("pod-1")
    let old = try await harness.claim("job", by: first)
    try await harness.endLease("job")
    #expect(try await first.reap(every: .zero) == [Recovery(job: "job", what: "requeued")])
    // Even when the same process takes it again.
    let new = try #require(try await first.claim(upTo: 1).jobs.first)
    let before = try await harness.hash("job")

    #expect(try await first.update(old, ["scale": "2"]) == .lost)
    #expect(try await first.release(old) == .lost)
    #expect(try await first.finish(old, .done).outcome == .lost)
    let failure = JobFailure(.transient, reason: "R", errorCode: "storage")
    #expect(try await first.fail(old, failure).outcome == .lost)
    #expect(try await first.park(old, waitingFor: [], .collectAll) == .lost)
    #expect(try await first.heartbeat([JobBeat(job: "job", token: old.token)]) == ["job": .lost])

    #expect(try await harness.hash("job") == before)
    #expect(try await harness.processing() == ["job"])
    #expect(try await first.finish(new, .done).outcome == .written)
  }
}
