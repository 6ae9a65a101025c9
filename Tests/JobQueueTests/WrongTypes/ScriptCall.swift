import JobQueue
import RedisClient
import Testing

/// A call of each script, in a state in which it has as much to do as it can have.
enum ScriptCall: String, CaseIterable {
  case claim, finish, fail, retry, makeRoom, release, update, heartbeat, park
  case cancelWaiting, cancelRunning, cancelParked, requeue, submit, submitDelayed
  case reap, reconcile, recover, purge

  static let failure = JobFailure(.input, reason: "R", errorCode: "x")
  private static let options = DeliveryOptions(
    retries: RetrySchedule(maximumAttempts: 3), timeout: .seconds(99),
    callbacks: ["https://a.example"])

  /// Fills the queues and returns the job in hand.
  ///
  /// `job` is in hand; two parents in the queue `parents` wait for it, and it has children itself: one
  /// has failed, the others have not ended. Others wait, are delayed, in limbo, dead or junk.
  func prepare(_ harness: QueueHarness) async throws -> ClaimedJob {
    let queue = harness.worker()
    let redis = harness.redis
    let parents = JobQueue(name: "parents", worker: "pod-1", redis: redis)
    let children = JobQueue(name: "children", worker: "pod-1", redis: redis)
    try await queue.setLimits(QueueLimits(concurrency: 50, rate: 1000, burst: 100))
    for name in ["pod-1", "pod-2"] { _ = try await harness.worker(name).heartbeat([]) }

    _ = try await queue.submit("job", ["status": "new"], Self.options)
    for parent in ["mother", "father"] {
      _ = try await parents.submit(parent, ["status": "new"], Self.options)
      let claimed = try #require(try await parents.claim(upTo: 1).jobs.first)
      let child = ChildJob(existing: "job", queue: "predict")
      _ = try await parents.park(claimed, waitingFor: [child], .collectAll)
    }
    var job = try #require(try await queue.claim(upTo: 1).jobs.first)
    let kids = ["kid 1", "kid 2", "kid 3"]
    for kid in kids { _ = try await children.submit(kid, ["status": "new"], Self.options) }
    _ = try await queue.park(
      job, waitingFor: kids.map { ChildJob(existing: $0, queue: "children") }, .failFast)
    if self == .cancelParked { return job }
    let kid = try #require(try await children.claim(upTo: 1).jobs.first)
    _ = try await children.fail(kid, Self.failure)
    job = try #require(try await queue.claim(upTo: 1).jobs.first)

    switch self {
    case .requeue:
      _ = try await queue.fail(job, Self.failure)
      _ = try await children.submit("kid 4", ["status": "new"])
      for parent in ["mother", "father"] {
        try await redis.command("ZADD", Keys.parked(in: "parents"), 1, parent)
        try await redis.command("LREM", "parents", 0, parent)
        try await redis.command("SADD", Keys.children(of: parent), "kid 4")
      }
      try await redis.command("SADD", Keys.children(of: "job"), "kid 4")
    case .cancelRunning, .finish, .fail, .retry, .makeRoom, .release, .update, .heartbeat, .park:
      break
    default: try await strand(harness)
    }
    try await wait(harness)
    return job
  }

  /// What waits for others.
  private func wait(_ harness: QueueHarness) async throws {
    let queue = harness.worker()
    _ = try await queue.submit("waiting", ["status": "new"], Self.options)
    _ = try await queue.submit("due", ["status": "new"], DeliveryOptions(.delayed(.seconds(99))))
    try await harness.makeDue("due", in: Keys.delayed(in: "predict"))
    try await harness.redis.command("RPUSH", "predict", "junk")
  }

  /// What is to be found again.
  private func strand(_ harness: QueueHarness) async throws {
    let redis = harness.redis
    let other = harness.worker("pod-2")
    for key in ["late", "canceled", "vanished", "poison", "foreign", "dead"] {
      _ = try await other.submit(key, ["status": "new"], Self.options)
    }
    let jobs = try await other.claim(upTo: 6).jobs
    for job in jobs where job.key == "dead" { _ = try await other.fail(job, Self.failure) }
    try await redis.command("ZADD", Keys.deadLetters(of: "predict"), 1, "dead")
    _ = try await other.cancel("canceled")
    try await redis.command("HSET", Keys.control(of: "poison"), "deliveries", 3)
    try await redis.command("HSET", "foreign", "status", "done")
    for key in ["late", "canceled", "poison"] { try await harness.endLease(key) }
    try await harness.stealEntry("vanished", from: "pod-2")
    try await redis.command("ZREM", Keys.leases(of: "predict"), "vanished")
    try await redis.command("ZADD", Keys.limbo(of: "predict"), 1, "vanished")
    // A parent whose children a client removed, and one that has ended before its children.
    try await redis.command("ZADD", Keys.parked(in: "predict"), 1, "left", 0, "dead")
    try await redis.command("HSET", "left", "status", "waiting")
    try await redis.command("SADD", Keys.children(of: "left"), "gone", "foreign")
    try await redis.command("SADD", Keys.children(of: "dead"), "kid 2")
    try await redis.command("LPUSH", "processing-predict:pod-1", "stranger", "job 2")
    try await redis.command("HSET", "stranger", "status", "predicting")
  }

  func call(_ harness: QueueHarness, _ worker: JobQueue, _ job: ClaimedJob) async throws {
    switch self {
    case .claim: _ = try await worker.claim(upTo: 9)
    case .finish: _ = try await worker.finish(job, .done, ["output_url": "u"], claiming: 2)
    case .fail: _ = try await worker.fail(job, Self.failure, claiming: 2)
    case .retry, .makeRoom:
      let kind: JobFailure.Class = self == .retry ? .transient : .capacity
      _ = try await worker.fail(
        job, JobFailure(kind, reason: "R", errorCode: "x"), claiming: 2)
    case .release: _ = try await worker.release(job)
    case .update: _ = try await worker.update(job, ["status": "x", "progress": "7"], log: ["line"])
    case .heartbeat:
      _ = try await worker.heartbeat(
        [JobBeat(job: job.key, token: job.token)], card: ["state": "running"])
    case .park:
      let children = (0..<2).map {
        ChildJob(of: "job", index: $0, queue: "children", name: "\($0)", fields: ["a": "b"])
      }
      _ = try await worker.park(
        job, waitingFor: children + [ChildJob(existing: "kid 2", queue: "children")], .collectAll)
    case .cancelWaiting: _ = try await worker.cancel("waiting")
    case .cancelRunning, .cancelParked: _ = try await worker.cancel("job")
    case .requeue: _ = try await worker.requeue("job")
    case .submit: _ = try await worker.submit("made", ["status": "new"], Self.options)
    case .submitDelayed:
      _ = try await worker.submit(
        "made", ["status": "new"], DeliveryOptions(.delayed(.seconds(9)), fingerprint: "f"))
    case .reap: _ = try await worker.reap()
    case .reconcile: _ = try await worker.reconcile()
    case .recover: _ = try await worker.recover(except: ["job"])
    case .purge: _ = try await worker.purgeDeadLetters(olderThan: .zero)
    }
  }
}
