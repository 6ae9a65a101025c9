import RedisClient
import TestSupport
import Testing

@testable import JobQueue

/// What stays in Redis when all jobs have ended and time has passed.
@Suite struct MemoryTests {
  private static let failure = JobFailure(.input, reason: "R", errorCode: "x")

  /// Jobs of all kinds, each to its end.
  private func work(_ harness: QueueHarness) async throws {
    let queue = harness.worker()
    try await queue.setLimits(QueueLimits(concurrency: 100, rate: 10_000, burst: 1000))
    _ = try await queue.heartbeat([], card: ["state": "running"])
    let options = DeliveryOptions(
      retries: RetrySchedule(maximumAttempts: 2), timeout: .seconds(60),
      callbacks: ["https://a.example"], fingerprint: "f")
    _ = try await queue.submit("done", ["status": "new"], options)
    for key in ["failed", "retried", "canceled", "crashed", "gone", "vanished"] {
      _ = try await queue.submit(key, ["status": "new"], DeliveryOptions(callbacks: ["https://b"]))
    }
    for job in try await queue.claim(upTo: 9).jobs {
      _ = try await queue.update(job, ["progress": "1"], log: ["line"])
      try await queue.store([1], as: "data", of: job.key, for: .seconds(60))
      switch job.key {
      case "failed":
        _ = try await queue.fail(job, Self.failure)
        #expect(try await queue.requeue(job.key) == .requeued)
        _ = try await queue.cancel(job.key)
      case "retried":
        _ = try await queue.fail(job, JobFailure(.transient, reason: "R", errorCode: "x"))
        _ = try await queue.cancel(job.key)
      case "canceled":
        _ = try await queue.cancel(job.key)
        _ = try await queue.release(job)
      case "crashed", "vanished":
        if job.key == "vanished" { try await harness.stealEntry(job.key) }
        try await harness.endLease(job.key)
        _ = try await queue.reap(every: .zero)
        _ = try await queue.cancel(job.key)
      case "gone":
        try await harness.redis.command("DEL", job.key)
        _ = try await queue.finish(job, .done)
      default: _ = try await queue.finish(job, .done)
      }
    }
    // A parent that fails fast, with a child that ends, one that does not, and one of another's.
    let parent = try await harness.claim("parent", by: queue)
    let children = (0..<2).map {
      ChildJob(of: "parent", index: $0, queue: "predict", name: "\($0)", fields: [:])
    }
    _ = try await queue.submit("shared", ["status": "new"], DeliveryOptions(.delayed(.seconds(9))))
    let all = children + [ChildJob(existing: "shared", queue: "predict")]
    _ = try await queue.park(parent, waitingFor: all, .failFast)
    let kids: Int = try await harness.redis.command("TTL", Keys.children(of: "parent")).decode()
    #expect(kids > 0)
    let child = try #require(try await queue.claim(upTo: 1).jobs.first)
    _ = try await queue.fail(child, Self.failure)
    let back = try #require(try await queue.claim(upTo: 1).jobs.first)
    #expect(back.key == "parent")
    _ = try await queue.fail(back, Self.failure)
  }

  @Test(.redisServer) func `nothing of ended jobs is left once their time has passed`()
    async throws
  {
    let harness = try QueueHarness()
    try await work(harness)
    let redis = harness.redis
    #expect(try await harness.list().isEmpty)
    // Time passes: what has an expiry is gone, and what has an age is old.
    let keys: [String] = try await redis.command("KEYS", "*").decode()
    #expect(keys.count > 20)
    for key in keys where try await redis.command("TTL", key) != -1 {
      try await redis.command("DEL", key)
    }
    for set in [Keys.deadLetters(of: "predict"), Keys.workers(of: "predict"), Keys.callbacks] {
      for member in try await harness.scores(set).keys {
        try await harness.makeDue(member, in: set)
      }
    }
    let queue = harness.worker("pod-9")
    _ = try await queue.reap(every: .zero)
    _ = try await queue.submit("next", ["status": "new"], DeliveryOptions(callbacks: ["https://c"]))
    let next = try #require(try await queue.claim(upTo: 1).jobs.first)
    _ = try await queue.finish(next, .done)
    #expect(try await Array(harness.scores(Keys.callbacks).keys) == ["next:done"])

    var left: Set<String> = []
    for key in try await redis.command("KEYS", "*").decode() as [String]
    where try await redis.command("TTL", key) == -1 {
      left.insert(key)
    }
    // A bounded stream, a few counters, what an operator has set, and callbacks that are due.
    #expect(
      left == [
        Keys.events(of: "predict"), Keys.statistics(of: "predict"),
        Keys.configuration(of: "predict"), Keys.callbacks,
      ])
  }

  @Test(.redisServer) func `what has no expiry has a bound`() async throws {
    let harness = try QueueHarness { $0.deadLetterLimit = 5 }
    let queue = harness.worker()
    for index in 0..<9 {
      _ = try await queue.fail(try await harness.claim("job \(index)", by: queue), Self.failure)
    }
    #expect(try await queue.deadLetters(upTo: 99).count == 5)
    let fill = RedisScript(
      "for i = 1, 12000 do redis.call('XADD', KEYS[1], '*', 'event', 'x', 'job', i) end")
    try await harness.redis.eval(fill, keys: [Keys.events(of: "predict")])
    _ = try await harness.claim("last", by: queue)
    let length: Int = try await harness.redis.command("XLEN", Keys.events(of: "predict")).decode()
    // Streams are cut by whole nodes.
    #expect((10_000...10_200).contains(length))
    let counters: Int = try await harness.redis.command("HLEN", Keys.statistics(of: "predict"))
      .decode()
    #expect(counters < 20)
  }
}
