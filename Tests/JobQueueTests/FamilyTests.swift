import RedisClient
import TestSupport
import Testing

@testable import JobQueue

/// Children of several parents, and of parents that have ended.
@Suite struct FamilyTests {
  private static let failure = JobFailure(.input, reason: "R", errorCode: "x")

  /// Parks parents that all wait for the job `child`, which is in the queue `children`.
  private func park(_ parents: [String], _ harness: QueueHarness) async throws {
    let queue = harness.worker()
    if try await harness.redis.command("EXISTS", "child") == 0 {
      _ = try await children(harness).submit("child", ["status": "new"])
    }
    for parent in parents {
      let job = try await harness.claim(parent, by: queue)
      let child = ChildJob(existing: "child", queue: "children")
      #expect(try await queue.park(job, waitingFor: [child], .collectAll) == .held)
    }
  }

  private func children(_ harness: QueueHarness) -> JobQueue {
    JobQueue(
      name: "children", worker: "pod-c", redis: harness.redis, settings: harness.settings,
      now: { QueueHarness.time })
  }

  private func made(_ count: Int, by parent: String = "parent") -> [ChildJob] {
    (0..<count).map {
      ChildJob(of: parent, index: $0, queue: "children", name: "\($0)", fields: [:])
    }
  }

  @Test(.redisServer, arguments: [2, 3, 40])
  func `all parents of a child learn of its end at once`(count: Int) async throws {
    let harness = try QueueHarness()
    let parents = (0..<count).map { "parent \($0)" }
    try await park(parents, harness)
    let child = try #require(try await children(harness).claim(upTo: 1).jobs.first)
    #expect(try await harness.list().isEmpty)
    _ = try await children(harness).finish(child, .done)
    #expect(try await Set(harness.list()) == Set(parents))
    #expect(try await harness.worker().counts().parked == 0)
    try await harness.expectNothingLeft()
  }

  @Test(.redisServer) func `a child is cancelled with the last parent that waits for it`()
    async throws
  {
    let harness = try QueueHarness()
    try await park(["a", "b", "c"], harness)
    let queue = harness.worker()
    for parent in ["a", "c"] {
      #expect(try await queue.cancel(parent) == .canceled)
      #expect(try await harness.hash("child")["status"] == "new")
    }
    #expect(try await harness.control("child")["parent"] == "b")
    #expect(try await harness.control("child")["parents"] == nil)
    #expect(try await queue.cancel("b") == .canceled)
    #expect(try await harness.list("children").isEmpty)
    #expect(try await harness.hash("child")["error_code"] == "canceled")
    #expect(try await queue.counts().parked == 0)
  }

  @Test(.redisServer) func `parents that no longer wait are forgotten`() async throws {
    let harness = try QueueHarness()
    try await park(["first", "last"], harness)
    for round in 0..<120 {
      try await park(["parent \(round)"], harness)
      _ = try await harness.worker().cancel("parent \(round)")
    }
    #expect(try await harness.hash("child")["status"] == "new")
    try await park(["second"], harness)
    let parents = try await harness.control("child")["parents"]
    #expect(try await harness.control("child")["parent"] == "first")
    #expect(parents == #"[["last","predict"],["second","predict"]]"#)
  }

  @Test(.redisServer, arguments: ["failed", "done"])
  func `a parent's end cancels a hundred children at once, reconcile the others`(
    end: String
  ) async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let workers = children(harness)
    let parent = try await harness.claim("parent", by: queue)
    #expect(try await queue.park(parent, waitingFor: made(250), .failFast) == .held)
    let jobs = try await workers.claim(upTo: 2).jobs
    _ = try await workers.fail(jobs[0], Self.failure)
    let back = try #require(try await queue.claim(upTo: 1).jobs.first)
    #expect(try await harness.list("children").count == 248)

    if end == "done" {
      _ = try await queue.finish(back, .done)
    } else {
      _ = try await queue.fail(back, Self.failure)
    }

    let left = try await harness.list("children").count
    // One of the hundred may be the one that runs.
    #expect(left == 148 || left == 149)
    #expect(
      try await queue.reconcile().contains { $0 == Recovery(job: "parent", what: "canceled") })
    #expect(try await harness.list("children").isEmpty)
    #expect(try await workers.update(jobs[1], [:]) == .canceled)
    #expect(try await queue.counts().parked == 0)
    #expect(try await harness.hash("parent")["status"] == end)
    _ = try await workers.release(jobs[1])
    try await harness.expectNothingLeft()
  }

  @Test(.redisServer) func `grandchildren end with their children`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let workers = children(harness)
    let parent = try await harness.claim("parent", by: queue)
    _ = try await queue.park(parent, waitingFor: made(3), .failFast)
    let jobs = try await workers.claim(upTo: 2).jobs
    _ = try await workers.park(jobs[0], waitingFor: made(5, by: jobs[0].key), .collectAll)
    #expect(try await harness.list("children").count == 6)
    _ = try await workers.fail(jobs[1], Self.failure)
    let back = try #require(try await queue.claim(upTo: 1).jobs.first)
    _ = try await queue.fail(back, Self.failure)
    #expect(try await harness.list("children").isEmpty)
    #expect(try await harness.hash(jobs[0].key)["error_code"] == "canceled")
    #expect(try await workers.counts().parked == 0)
    try await harness.expectNothingLeft()
  }

  @Test(.redisServer) func `children of a parent whose hash a client removed are cancelled`()
    async throws
  {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let workers = children(harness)
    let parent = try await harness.claim("parent", by: queue)
    _ = try await queue.park(parent, waitingFor: made(2), .failFast)
    let job = try #require(try await workers.claim(upTo: 1).jobs.first)
    _ = try await workers.fail(job, Self.failure)
    let back = try #require(try await queue.claim(upTo: 1).jobs.first)
    try await harness.redis.command("DEL", "parent")
    #expect(try await queue.finish(back, .done).outcome == .gone)
    _ = try await queue.reconcile()
    #expect(try await harness.list("children").isEmpty)
    #expect(try await harness.redis.command("EXISTS", Keys.children(of: "parent")) == 0)
    try await harness.expectNothingLeft()
  }
}
