import RedisClient
import TestSupport
import Testing

@testable import JobQueue

/// Cancel, requeue and submit: what people and front ends do.
@Suite struct AdministrationTests {
  @Test(.redisServer) func `a job that waits, is delayed or in limbo is cancelled at once`()
    async throws
  {
    let harness = try QueueHarness()
    let queue = harness.worker()
    try await harness.submit("waiting", "other")
    _ = try await queue.submit(
      "delayed", ["status": "new"], DeliveryOptions(.delayed(.seconds(99))))
    try await harness.redis.command("HSET", "vanished", "status", "started")
    try await harness.redis.command("ZADD", Keys.limbo(of: "predict"), 1, "vanished")

    for key in ["waiting", "delayed", "vanished"] {
      #expect(try await queue.cancel(key) == .canceled)
      let fields = try await harness.hash(key)
      #expect(fields["status"] == "failed" && fields["error_code"] == "canceled")
      #expect(fields["reason"] == "Canceled: by user")
      #expect(fields["finished_at"] != nil)
      #expect(try await queue.cancel(key) == .ended)
    }
    #expect(try await harness.list() == ["other"])
    var counts = QueueCounts()
    counts.waiting = 1
    #expect(try await queue.counts() == counts)
    #expect(try await queue.cancel("missing") == .missing)
    try await harness.expectNothingLeft()
  }

  @Test(.redisServer) func `a running job's worker is told at once`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    _ = try await harness.claim("job", by: queue)
    let heard = Watched<[String]>([])
    try await withThrowingTaskGroup { group in
      group.addTask {
        try await queue.withCancellations { job in Task { await heard.update { $0.append(job) } } }
      }
      try await eventually("it listens") {
        let count: [RedisValue] = try await queue.subscribers().array ?? []
        return count.last == 1
      }
      #expect(try await harness.worker("tool").cancel("job", by: "operator") == .running)
      _ = try await within(.seconds(30), "the message") { try await heard.wait { $0 == ["job"] } }
      group.cancelAll()
    }
    #expect(try await harness.hash("job")["status"] == "started")
  }

  @Test(.redisServer) func `a job that a consumer without leases works on is left alone`()
    async throws
  {
    let harness = try QueueHarness()
    try await harness.redis.command("HSET", "job", "status", "predicting")
    try await harness.redis.command("LPUSH", "processing-predict:python", "job")
    #expect(try await harness.worker().cancel("job") == .elsewhere)
    #expect(try await harness.hash("job") == ["status": "predicting"])
  }

  @Test(.redisServer) func `a job that has ended runs again as its producer made it`() async throws
  {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let job = try await harness.claim("job", by: queue)
    #expect(try await queue.requeue("job") == .live)
    _ = try await queue.update(
      job, ["progress": "50", "last_error": "E", "partial_output_url": "u"])
    _ = try await queue.fail(job, JobFailure(.input, reason: "R", errorCode: "x"))
    try await harness.submit("other")

    #expect(try await queue.requeue("job") == .requeued)

    #expect(
      try await harness.hash("job") == [
        "status": "new", "original_name": "a.tif", "updated_by": "pod-1",
        "updated_at": QueueHarness.time.description, "requeued": "1",
      ])
    #expect(try await harness.redis.command("TTL", "job") == -1)
    #expect(try await harness.list() == ["job", "other"])
    #expect(try await queue.deadLetters(upTo: 9).isEmpty)
    #expect(try await queue.requeue("job") == .live)
    #expect(try await queue.requeue("missing") == .missing)
    let again = try #require(try await queue.claim(upTo: 2).jobs.last)
    #expect(again.deliveries == 1 && again.attempts == 0)
    // The end of the first run is not told of the second.
    #expect(try await queue.finish(job, .done).outcome == .lost)
  }

  @Test(.redisServer) func `urgent jobs run next, normal ones last`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    _ = try await queue.submit("a", ["status": "new"])
    _ = try await queue.submit("b", ["status": "new"])
    _ = try await queue.submit("now", ["status": "new"], DeliveryOptions(.urgent))
    #expect(try await queue.claim(upTo: 3).jobs.map(\.key) == ["now", "a", "b"])
  }

  @Test(.redisServer) func `blind repetitions make one job`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let options = DeliveryOptions(fingerprint: "f")
    #expect(
      try await queue.submit("a", ["status": "new"], options)
        == Submission(outcome: .made, key: "a"))
    #expect(
      try await queue.submit("b", ["status": "new"], options)
        == Submission(outcome: .duplicate, key: "a"))
    #expect(
      try await queue.submit("a", ["status": "odd"]) == Submission(outcome: .exists, key: "a"))
    #expect(try await harness.list() == ["a"])
    #expect(try await harness.hash("a")["status"] == "new")
    #expect(try await harness.redis.command("EXISTS", "b") == 0)
    // The job has expired: the same submission makes another.
    try await harness.redis.command("DEL", "a")
    #expect(try await queue.submit("b", ["status": "new"], options).outcome == .made)
    try await harness.expectNothingLeft()
  }

  @Test(.redisServer) func `a job's own limits come before those of its workers`() async throws {
    let harness = try QueueHarness { $0.jobTimeout = .seconds(60) }
    let queue = harness.worker()
    _ = try await queue.submit("job", ["status": "new"], DeliveryOptions(timeout: .seconds(5)))
    #expect(try await queue.claim(upTo: 1).jobs.first?.timeLimit == .seconds(5))
    // Nothing that controls delivery is in the hash: zip consumers copy it.
    #expect(
      try await harness.hash("job").keys.sorted()
        == ["identity_started", "status", "updated_at", "updated_by"])
  }
}

extension JobQueue {
  fileprivate func subscribers() async throws -> RedisValue {
    let redis = try #require(RedisServer.connection)
    return try await redis.command("PUBSUB", "NUMSUB", Keys.cancellations(in: name))
  }
}
