import RedisClient
import TestSupport
import Testing

@testable import JobQueue

@Suite struct ReconcileTests {
  @Test(.redisServer) func `entries without a lease go where they belong`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    _ = try await queue.heartbeat([])
    let held = try await harness.claim("held", by: queue)
    try await harness.submit("stranger", status: "predicting")
    try await harness.submit("ended", status: "done")
    for key in ["stranger", "ended", "missing"] {
      try await harness.redis.command("LREM", "predict", 0, key)
      try await harness.redis.command("LPUSH", "processing-predict:pod-1", key)
    }
    // Not ours: it has no card.
    try await harness.redis.command("LPUSH", "processing-predict:python", "stranger too")

    let found = try await queue.reconcile()

    #expect(
      Set(found.map { "\($0.job) \($0.what)" })
        == ["stranger requeued", "ended dropped", "missing dropped"])
    #expect(try await harness.list() == ["stranger"])
    #expect(try await harness.processing() == ["held"])
    #expect(try await harness.list("processing-predict:python") == ["stranger too"])
    #expect(try await queue.finish(held, .done).outcome == .written)
  }

  @Test(.redisServer) func `an entry in two lists stays in its owner's`() async throws {
    let harness = try QueueHarness()
    for pod in ["pod-1", "pod-2"] { _ = try await harness.worker(pod).heartbeat([]) }
    let queue = harness.worker("pod-1")
    _ = try await harness.claim("job", by: queue)
    try await harness.redis.command("LPUSH", "processing-predict:pod-2", "job")
    #expect(try await queue.reconcile() == [Recovery(job: "job", what: "dropped")])
    #expect(try await harness.processing("pod-1") == ["job"])
    #expect(try await harness.processing("pod-2").isEmpty)
  }

  @Test(.redisServer) func `a lease whose entry vanished gets it back`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker("pod-1")
    for key in ["lost", "pushed", "taken"] { _ = try await harness.claim(key, by: queue) }
    for key in ["lost", "pushed", "taken"] { try await harness.stealEntry(key) }
    try await harness.redis.command("LPUSH", "predict", "pushed")
    try await harness.redis.command("HSET", "taken", "updated_by", "python")

    let found = try await harness.worker("pod-2").reconcile()

    #expect(
      Set(found.map { "\($0.job) \($0.what)" }) == ["lost healed", "pushed healed", "taken lost"])
    #expect(try await Set(harness.processing("pod-1")) == ["lost", "pushed"])
    #expect(try await harness.list().isEmpty)
    #expect(try await queue.counts().limbo == 1)
  }

  @Test(.redisServer) func `the children of a parent that a client removed are cancelled`()
    async throws
  {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let job = try await harness.claim("job", by: queue)
    let child = ChildJob(of: "job", index: 0, queue: "predict", name: "a", fields: [:])
    #expect(try await queue.park(job, waitingFor: [child], .collectAll) == .held)
    try await harness.redis.command("DEL", "job")
    #expect(try await queue.reconcile() == [Recovery(job: "job", what: "canceled")])
    #expect(try await harness.hash(child.key)["error_code"] == "canceled")
    #expect(try await harness.redis.command("EXISTS", "job") == 0)
    #expect(try await queue.counts() == QueueCounts())
    try await harness.expectNothingLeft()
  }

  @Test(.redisServer) func `nothing is done where everything is in order`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    _ = try await queue.heartbeat([])
    let job = try await harness.claim("job", by: queue)
    try await harness.submit("waiting")
    let child = ChildJob(of: "job", index: 0, queue: "other", name: "a", fields: [:])
    #expect(try await queue.park(job, waitingFor: [child], .collectAll) == .held)
    _ = try await queue.claim(upTo: 1)
    #expect(try await queue.reconcile().isEmpty)
    #expect(try await queue.counts().parked == 1)
  }
}
