import RedisClient
import TestSupport
import Testing

@testable import JobQueue

/// Parents and children.
@Suite struct ParkTests {
  private func children(_ count: Int, of parent: String = "parent") -> [ChildJob] {
    (0..<count).map {
      ChildJob(
        of: parent, index: $0, queue: "children", name: "\($0), x.tif",
        fields: [Field.originalName: "\($0), x.tif"])
    }
  }

  private func childQueue(_ harness: QueueHarness) -> JobQueue {
    JobQueue(
      name: "children", worker: "pod-c", redis: harness.redis, settings: harness.settings,
      now: { QueueHarness.time })
  }

  /// A parent that waits for its children.
  private func parked(
    _ harness: QueueHarness, children count: Int, _ policy: ParkingPolicy = .collectAll,
    share: Int = 100
  ) async throws -> [ChildJob] {
    let queue = harness.worker()
    let parent = try await harness.claim("parent", by: queue)
    let children = children(count)
    let keys = children.map(\.key).joined(separator: ",")
    #expect(
      try await queue.park(
        parent, waitingFor: children, policy, ["children": keys], share: share) == .held)
    return children
  }

  @Test(.redisServer) func `a parked parent holds no slot, and its children wait`() async throws {
    let harness = try QueueHarness()
    let children = try await parked(harness, children: 3)

    let fields = try await harness.hash("parent")
    #expect(fields["status"] == "waiting" && fields["progress"] == "0")
    #expect(fields["children"]?.split(separator: ",").count == 3)
    #expect(try await harness.leases().isEmpty)
    #expect(try await harness.processing().isEmpty)
    #expect(try await harness.list().isEmpty)
    #expect(try await harness.list("children") == children.reversed().map(\.key))
    let child = try await harness.hash(children[0].key)
    #expect(child["status"] == "new" && child["original_name"] == "0, x.tif")
    #expect(child["identity_upload"] == "pod-1")
    #expect(child["created_at"].flatMap(Timestamp.init) != nil)
    #expect(
      child.keys.sorted() == [
        "created_at", "identity_upload", "original_name", "status", "updated_at",
      ])
    #expect(try await harness.worker().counts().parked == 1)
  }

  @Test(.redisServer, arguments: [100, 60])
  func `the parent runs again when its last child has ended`(share: Int) async throws {
    let harness = try QueueHarness()
    _ = try await parked(harness, children: 4, share: share)
    let queue = childQueue(harness)
    for (index, job) in try await queue.claim(upTo: 4).jobs.enumerated() {
      #expect(try await harness.list().isEmpty)
      #expect(try await harness.hash("parent")["progress"] == "\(index * share / 4)")
      if index == 1 {
        _ = try await queue.fail(job, JobFailure(.input, reason: "R", errorCode: "x"))
      } else {
        _ = try await queue.finish(job, .done)
      }
    }
    #expect(try await harness.list() == ["parent"])
    #expect(try await harness.hash("parent")["progress"] == "\(share)")
    let parent = try #require(try await harness.worker().claim(upTo: 1).jobs.first)
    #expect(parent.statusBeforeClaim == .waiting && parent.deliveries == 1)
    #expect(parent.job["children"]?.isEmpty == false)
    _ = try await harness.worker().finish(parent, .done)
    #expect(try await harness.redis.command("EXISTS", Keys.children(of: "parent")) == 0)
    try await harness.expectNothingLeft()
  }

  @Test(.redisServer) func `a parent that fails fast runs when its first child has failed`()
    async throws
  {
    let harness = try QueueHarness()
    let children = try await parked(harness, children: 3, .failFast)
    let queue = childQueue(harness)
    let jobs = try await queue.claim(upTo: 2).jobs
    _ = try await queue.finish(jobs[0], .done)
    #expect(try await harness.list().isEmpty)
    _ = try await queue.fail(jobs[1], JobFailure(.input, reason: "R", errorCode: "x"))
    #expect(try await harness.list() == ["parent"])

    // It ends, and with it what it does not wait for any more.
    let own = harness.worker()
    let parent = try #require(try await own.claim(upTo: 1).jobs.first)
    _ = try await own.fail(parent, JobFailure(.input, reason: "R", errorCode: "x"))
    #expect(try await harness.hash(children[2].key)["error_code"] == "canceled")
    #expect(try await harness.hash(children[2].key)["reason"] == "Canceled: by its parent")
    #expect(try await own.reconcile().isEmpty)
    #expect(try await harness.list("children").isEmpty)
    #expect(try await harness.redis.command("EXISTS", Keys.children(of: "parent")) == 0)
    #expect(try await own.counts().parked == 0)
    try await harness.expectNothingLeft()
  }

  @Test(.redisServer) func `a child that failed before its parent was parked counts`() async throws
  {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let parent = try await harness.claim("parent", by: queue)
    let all = children(101)
    // The first hundred are made before the last one, which parks.
    try await harness.redis.command("HSET", all[0].key, "status", "failed")
    #expect(try await queue.park(parent, waitingFor: all, .failFast) == .held)
    #expect(try await harness.list() == ["parent"])
    #expect(try await harness.list("children").count == 100)
  }

  @Test(.redisServer) func `a fan-out that is repeated makes nothing twice`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    var parent = try await harness.claim("parent", by: queue)
    let all = children(3)
    // One child was made and has ended; then the worker died.
    #expect(try await queue.park(parent, waitingFor: [all[0]], .collectAll) == .held)
    let workers = childQueue(harness)
    let first = try #require(try await workers.claim(upTo: 1).jobs.first)
    _ = try await workers.finish(first, .done, ["output_url": "u"])
    parent = try #require(try await queue.claim(upTo: 1).jobs.first)

    #expect(try await queue.park(parent, waitingFor: all, .collectAll) == .held)

    #expect(try await harness.hash(all[0].key)["output_url"] == "u")
    #expect(try await harness.list("children") == [all[2].key, all[1].key])
    for job in try await workers.claim(upTo: 3).jobs { _ = try await workers.finish(job, .done) }
    #expect(try await harness.list() == ["parent"])
  }

  @Test(.redisServer) func `a parent whose children have all ended goes on at once`() async throws {
    let harness = try QueueHarness()
    for child in children(2) {
      try await harness.redis.command("HSET", child.key, "status", "done")
    }
    _ = try await parked(harness, children: 2)
    #expect(try await harness.list() == ["parent"])
    #expect(try await harness.worker().counts().parked == 0)
  }

  @Test(.redisServer) func `parking twice because a reply was lost parks once`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let parent = try await harness.claim("parent", by: queue)
    let all = children(150)
    for _ in 0..<2 { #expect(try await queue.park(parent, waitingFor: all, .collectAll) == .held) }
    #expect(try await harness.list("children").count == 150)
    #expect(try await queue.counts().parked == 1)
  }

  @Test(.redisServer) func `jobs that others made can be waited for`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let parent = try await harness.claim("parent", by: queue)
    try await harness.redis.command("HSET", "a", "status", "new")
    try await harness.redis.command("HSET", "b", "status", "done")
    try await harness.redis.command("LPUSH", "children", "a")
    let others = ["a", "b", "missing"].map { ChildJob(existing: $0, queue: "predict") }
    #expect(try await queue.park(parent, waitingFor: others, .collectAll) == .held)
    #expect(try await harness.list("children") == ["a"])
    #expect(try await harness.redis.command("EXISTS", "missing") == 0)
    #expect(try await harness.list().isEmpty)
    let workers = childQueue(harness)
    let job = try #require(try await workers.claim(upTo: 1).jobs.first)
    _ = try await workers.finish(job, .done)
    #expect(try await harness.list() == ["parent"])
  }

  @Test(.redisServer) func `a parked parent that is pushed again stays parked`() async throws {
    let harness = try QueueHarness()
    _ = try await parked(harness, children: 1)
    try await harness.redis.command("LPUSH", "predict", "parent")
    #expect(
      try await harness.worker().claim(upTo: 1).dropped == [.init(key: "parent", why: "parked")])
    #expect(try await harness.hash("parent")["status"] == "waiting")
  }

  @Test(.redisServer) func `children that ended without a word are noticed`() async throws {
    let harness = try QueueHarness()
    let children = try await parked(harness, children: 250)
    // Consumers without these scripts finished most; clients let the others expire.
    for (index, child) in children.enumerated() {
      if index.isMultiple(of: 10) {
        try await harness.redis.command("DEL", child.key)
      } else {
        try await harness.redis.command("HSET", child.key, "status", "done")
      }
    }
    try await harness.redis.command("DEL", "children")
    #expect(try await harness.worker().reconcile() == [Recovery(job: "parent", what: "unparked")])
    #expect(try await harness.list() == ["parent"])
    #expect(try await harness.redis.command("EXISTS", Keys.children(of: "parent")) == 0)
  }

  @Test(.redisServer) func `a cancelled parent takes its children with it`() async throws {
    let harness = try QueueHarness()
    let children = try await parked(harness, children: 120)
    let queue = childQueue(harness)
    let running = try #require(try await queue.claim(upTo: 1).jobs.first)
    let own = harness.worker()

    #expect(try await own.cancel("parent") == .canceled)
    _ = try await own.reconcile()

    #expect(try await harness.hash("parent")["error_code"] == "canceled")
    #expect(try await harness.list("children").isEmpty)
    for child in children where child.key != running.key {
      #expect(try await harness.hash(child.key)["error_code"] == "canceled")
    }
    #expect(try await queue.update(running, [:]) == .canceled)
    #expect(try await queue.release(running) == .canceled)
    #expect(try await own.counts() == QueueCounts())
    try await harness.expectNothingLeft()
  }

  @Test(.redisServer) func `a key of another type is an error that makes nothing`() async throws {
    let harness = try QueueHarness()
    let queue = harness.worker()
    let parent = try await harness.claim("parent", by: queue)
    let all = children(3)
    try await harness.redis.command("SET", all[2].key, "x")
    await #expect(throws: RedisError.self) {
      try await queue.park(parent, waitingFor: all, .collectAll)
    }
    #expect(try await harness.list("children").isEmpty)
    #expect(try await harness.redis.command("EXISTS", all[0].key) == 0)
    #expect(try await harness.processing() == ["parent"])
  }
}
