import RedisClient
import TestSupport
import Testing

@testable import JobQueue

@Suite struct ClaimTests {
  @Test(.redisServer) func `a claim moves the oldest job, leases it and marks its hash`()
    async throws
  {
    let harness = try QueueHarness()
    try await harness.submit("predict:a.tif:1", "predict:b, c.tif:2")
    let before = try await harness.now()

    let claim = try await harness.worker(boot: "b00t").claim(upTo: 1)

    let job = try #require(claim.jobs.first)
    #expect(claim.jobs.count == 1 && claim.dropped.isEmpty)
    // Nothing but a push makes it worth to look again.
    #expect(claim.hold == nil && claim.wait == nil)
    #expect(job.key == "predict:a.tif:1")
    #expect(job.statusBeforeClaim == .new)
    #expect(job.job.originalName == "a.tif")
    #expect(job.deliveries == 1 && job.attempts == 0 && job.timeLimit == nil)
    #expect(job.token.rawValue.wholeMatch(of: #/b00t:[0-9]{16}:1/#) != nil)
    #expect(try await harness.list() == ["predict:b, c.tif:2"])
    #expect(try await harness.processing() == ["predict:a.tif:1"])
    #expect(
      try await harness.hash("predict:a.tif:1") == [
        "status": "started", "original_name": "a.tif", "identity_started": "pod-1",
        "updated_by": "pod-1", "updated_at": "2026-11-22T01:40:00.123456+00:00",
      ])
    let lease = try await harness.scores(Keys.leases(of: "predict"))["predict:a.tif:1"]
    let end = try #require(lease.flatMap(Int.init))
    #expect((before + 30_000...before + 60_000).contains(end))
    let control = try await harness.control(job.key)
    #expect(control["owner"] == job.token.rawValue)
    #expect(control["worker"] == "pod-1" && control["prev"] == "new")
  }

  @Test(.redisServer) func `a claim takes as many as asked for and no more`() async throws {
    let harness = try QueueHarness()
    for i in 0..<5 { try await harness.submit("job \(i)") }
    let queue = harness.worker()
    #expect(try await queue.claim(upTo: 3).jobs.map(\.key) == ["job 0", "job 1", "job 2"])
    #expect(try await queue.claim(upTo: 3).jobs.map(\.key) == ["job 3", "job 4"])
    #expect(try await queue.claim(upTo: 3).jobs.isEmpty)
  }

  @Test(.redisServer) func `what is no job to do is dropped and not written to`() async throws {
    let harness = try QueueHarness()
    try await harness.redis.command("LPUSH", "predict", "missing")
    try await harness.redis.command("SET", "text", "x")
    try await harness.redis.command("LPUSH", "predict", "text")
    try await harness.submit("ended", status: "done")
    try await harness.submit("broken", status: "failed")
    try await harness.submit("twice")
    try await harness.redis.command("LPUSH", "predict", "twice")
    try await harness.submit("good")

    let claim = try await harness.worker().claim(upTo: 5)

    #expect(claim.jobs.map(\.key) == ["twice", "good"])
    #expect(claim.dropped.map(\.key) == ["missing", "text", "ended", "broken", "twice"])
    #expect(claim.dropped.map(\.why) == ["missing", "string", "done", "failed", "claimed"])
    #expect(try await harness.redis.command("EXISTS", "missing") == 0)
    #expect(try await harness.hash("ended") == ["status": "done", "original_name": "a.tif"])
    #expect(try await harness.list().isEmpty)
  }

  /// Every key of a queue, and a command that gives it another type.
  @Test(
    .redisServer,
    arguments: [
      "processing-predict:pod-1", "kiosk:lease:predict", "kiosk:delay:predict",
      "kiosk:limbo:predict", "kiosk:parked:predict", "kiosk:dead:predict", "kiosk:ev:predict",
      "kiosk:stat:predict", "kiosk:cfg:predict", "kiosk:out",
    ])
  func `a key of another type is an error that changes nothing`(key: String) async throws {
    let harness = try QueueHarness()
    try await harness.submit("job")
    try await harness.redis.command("SET", key, "x")
    let error = await #expect(throws: RedisError.self) {
      try await harness.worker().claim(upTo: 1)
    }
    #expect(error?.serverCode == "WRONGTYPE")
    #expect(error?.reason.contains(key) == true)
    #expect(try await harness.list() == ["job"])
    #expect(try await harness.hash("job")["status"] == "new")
    let keys: [String] = try await harness.redis.command("KEYS", "kiosk:*").decode()
    #expect(Set(keys).subtracting([key]).isEmpty)
  }

  @Test(.redisServer) func `a control key of another type is replaced and stops nothing`()
    async throws
  {
    let harness = try QueueHarness()
    try await harness.submit("job")
    try await harness.redis.command("LPUSH", Keys.control(of: "job"), "junk")
    let job = try #require(try await harness.worker().claim(upTo: 1).jobs.first)
    #expect(try await harness.control("job")["owner"] == job.token.rawValue)
  }

  @Test(.redisServer) func `waiting ends when a job is pushed, and leaves it where it is`()
    async throws
  {
    let harness = try QueueHarness()
    let redis = harness.redis
    let queue = harness.worker()
    async let waited = queue.waitForJob()
    try await eventually("the waiter blocks") {
      let clients: String = try await redis.command("CLIENT", "LIST").decode()
      return clients.contains("cmd=blmove")
    }
    try await harness.submit("job")
    #expect(try await waited)
    #expect(try await harness.list() == ["job"])
  }

  @Test(.redisServer) func `two workers never claim the same job`() async throws {
    let harness = try QueueHarness()
    for i in 0..<200 { try await harness.submit("job \(i)") }
    let keys = try await withThrowingTaskGroup(of: [String].self) { group in
      for worker in 0..<8 {
        let queue = harness.worker("pod-\(worker)")
        group.addTask {
          var keys: [String] = []
          while case let jobs = try await queue.claim(upTo: 3).jobs, !jobs.isEmpty {
            keys += jobs.map(\.key)
          }
          return keys
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    #expect(keys.count == 200)
    #expect(Set(keys).count == 200)
  }

  @Test(.redisServer) func `a job that a janitor pushes back while it runs stays its worker's`()
    async throws
  {
    let harness = try QueueHarness()
    let first = harness.worker("pod-1")
    let job = try await harness.claim("job", by: first)
    try await harness.stealEntry("job")
    try await harness.redis.command("LPUSH", "predict", "job")

    let claim = try await harness.worker("pod-2").claim(upTo: 1)

    #expect(claim.jobs.isEmpty)
    #expect(claim.dropped == [.init(key: "job", why: "healed")])
    #expect(try await harness.processing("pod-1") == ["job"])
    #expect(try await harness.processing("pod-2").isEmpty)
    #expect(try await first.finish(job, .done).outcome == .written)
  }

  @Test(.redisServer) func `a job whose lease has ended is claimed from the queue by another`()
    async throws
  {
    let harness = try QueueHarness()
    let first = harness.worker("pod-1")
    let old = try await harness.claim("job", by: first)
    try await harness.endLease("job")
    try await harness.redis.command("LPUSH", "predict", "job")

    let new = try #require(try await harness.worker("pod-2").claim(upTo: 1).jobs.first)

    #expect(new.deliveries == 2)
    #expect(new.token != old.token)
    #expect(new.statusBeforeClaim == .new)
    #expect(try await harness.processing("pod-1").isEmpty)
    #expect(try await harness.processing("pod-2") == ["job"])
    #expect(try await first.finish(old, .done).outcome == .lost)
  }

  @Test(.redisServer) func `a job that lost too many workers ends with the name of the last`()
    async throws
  {
    let harness = try QueueHarness { $0.crashLimit = 2 }
    try await harness.submit("poison")
    for pod in ["pod-1", "pod-2"] {
      #expect(try await harness.worker(pod).claim(upTo: 1).jobs.count == 1)
      // The worker dies, and a janitor puts the job back.
      try await harness.endLease("poison")
      try await harness.stealEntry("poison", from: pod)
      try await harness.redis.command("LPUSH", "predict", "poison")
    }
    let claim = try await harness.worker("pod-3").claim(upTo: 1)
    #expect(claim.dropped == [.init(key: "poison", why: "crashed")])
    let fields = try await harness.hash("poison")
    #expect(fields["status"] == "failed" && fields["error_code"] == "lost_worker")
    #expect(fields["reason"]?.contains("pod-2") == true)
    #expect(try await harness.worker().deadLetters(upTo: 5) == ["poison"])
    #expect(try await harness.leases().isEmpty)
    try await harness.expectNothingLeft()
  }

  @Test(.redisServer) func `due jobs come first, and those that are not due stay hidden`()
    async throws
  {
    let harness = try QueueHarness()
    let queue = harness.worker()
    for (key, seconds) in [("soon", 1), ("sooner", 0), ("later", 3600)] {
      _ = try await queue.submit(
        key, ["status": "new"], DeliveryOptions(.delayed(.seconds(seconds))))
    }
    try await harness.submit("waiting")
    try await harness.makeDue("soon", in: Keys.delayed(in: "predict"))
    try await harness.redis.command("ZADD", Keys.delayed(in: "predict"), 0, "sooner")
    // Pushed although it is to wait.
    try await harness.redis.command("RPUSH", "predict", "later")

    let claim = try await queue.claim(upTo: 5)

    #expect(claim.jobs.map(\.key) == ["sooner", "soon", "waiting"])
    #expect(claim.dropped == [.init(key: "later", why: "delayed")])
    let wait = try #require(claim.wait)
    #expect(wait > .seconds(3500) && wait <= .seconds(3600))
    #expect(try await harness.scores(Keys.delayed(in: "predict")).keys.sorted() == ["later"])
  }

  @Test(.redisServer) func `a paused queue gives no job until it is resumed`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    try await harness.submit("job")
    try await queue.pause()
    let claim = try await queue.claim(upTo: 1)
    #expect(claim.jobs.isEmpty && claim.hold == .paused && claim.wait == .seconds(1))
    try await queue.resume()
    #expect(try await queue.claim(upTo: 1).jobs.count == 1)
  }

  @Test(.redisServer) func `no more jobs run at a time than the queue allows`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    try await harness.submit("a", "b", "c", "d")
    try await queue.setLimits(QueueLimits(concurrency: 2))
    let jobs = try await queue.claim(upTo: 3).jobs
    #expect(jobs.count == 2)
    #expect(try await harness.worker("pod-2").claim(upTo: 3).hold == .concurrency)
    let ending = try await queue.finish(jobs[0], .done, claiming: 3)
    #expect(ending.next.jobs.map(\.key) == ["c"])
    try await queue.setLimits(QueueLimits())
    #expect(try await queue.claim(upTo: 3).jobs.map(\.key) == ["d"])
  }

  @Test(.redisServer) func `no more jobs begin in a time than the queue allows`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    for i in 0..<6 { try await harness.submit("job \(i)") }
    try await queue.setLimits(QueueLimits(rate: 0.01, burst: 2))
    #expect(try await queue.claim(upTo: 5).jobs.count == 2)
    let claim = try await queue.claim(upTo: 5)
    #expect(claim.jobs.isEmpty && claim.hold == .rate)
    let wait = try #require(claim.wait)
    #expect(wait > .seconds(50) && wait <= .seconds(100))
    #expect(try await harness.redis.command("PTTL", Keys.rate(of: "predict")).integer ?? 0 > 0)
    // As if the time were over.
    try await harness.redis.command("DEL", Keys.rate(of: "predict"))
    #expect(try await queue.claim(upTo: 1).jobs.count == 1)
  }

  @Test(.redisServer) func `a status that a dead consumer left is not taken for the producer's`()
    async throws
  {
    let harness = try QueueHarness()
    try await harness.submit("job", status: "predicting")
    let queue = harness.worker()
    let job = try #require(try await queue.claim(upTo: 1).jobs.first)
    #expect(job.statusBeforeClaim == .new)
    #expect(try await queue.release(job) == .held)
    #expect(try await harness.hash("job")["status"] == "new")
  }
}
