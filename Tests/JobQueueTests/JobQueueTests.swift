import JobQueue
import RedisClient
import TestSupport
import Testing

@Suite struct JobQueueTests {
  private let time = Timestamp(microseconds: 1_795_311_600_123_456)

  private func queue(_ redis: RedisClient, worker: String = "pod-1") -> JobQueue {
    JobQueue(name: "predict", worker: worker, redis: redis, now: { time })
  }

  /// A job as the web front end makes it.
  private func submit(_ redis: RedisClient, _ key: String, status: String = "new") async throws {
    try await redis.command("HSET", key, "status", status, "original_name", "a.tif")
    try await redis.command("LPUSH", "predict", key)
  }

  private func list(_ redis: RedisClient, _ key: String) async throws -> [String] {
    try await redis.command("LRANGE", key, 0, -1).decode()
  }

  private func hash(_ redis: RedisClient, _ key: String) async throws -> [String: String] {
    try await redis.command("HGETALL", key).decode()
  }

  @Test(.redisServer) func `a claim moves the oldest job and marks its hash`() async throws {
    let redis = try #require(RedisServer.connection)
    try await submit(redis, "predict:a.tif:1")
    try await submit(redis, "predict:b, c.tif:2")

    let claim = try await queue(redis).claim(upTo: 1)

    let job = try #require(claim.jobs.first)
    #expect(claim.jobs.count == 1 && claim.dropped.isEmpty)
    #expect(job.key == "predict:a.tif:1")
    #expect(job.statusBeforeClaim == .new)
    #expect(job.job.originalName == "a.tif")
    #expect(try await list(redis, "predict") == ["predict:b, c.tif:2"])
    #expect(try await list(redis, "processing-predict:pod-1") == ["predict:a.tif:1"])
    #expect(
      try await hash(redis, "predict:a.tif:1") == [
        "status": "started", "original_name": "a.tif", "identity_started": "pod-1",
        "updated_by": "pod-1", "updated_at": "2026-11-22T01:40:00.123456+00:00",
      ])
  }

  @Test(.redisServer) func `a claim takes as many as asked for and no more`() async throws {
    let redis = try #require(RedisServer.connection)
    for i in 0..<5 { try await submit(redis, "job \(i)") }
    let queue = queue(redis)
    #expect(try await queue.claim(upTo: 3).jobs.map(\.key) == ["job 0", "job 1", "job 2"])
    #expect(try await queue.claim(upTo: 3).jobs.map(\.key) == ["job 3", "job 4"])
    #expect(try await queue.claim(upTo: 3).jobs.isEmpty)
  }

  @Test(.redisServer) func `what is no job to do is dropped and not written to`() async throws {
    let redis = try #require(RedisServer.connection)
    try await redis.command("LPUSH", "predict", "missing")
    try await redis.command("SET", "text", "x")
    try await redis.command("LPUSH", "predict", "text")
    try await submit(redis, "ended", status: "done")
    try await submit(redis, "broken", status: "failed")
    try await submit(redis, "twice")
    try await redis.command("LPUSH", "predict", "twice")
    try await submit(redis, "good")

    let claim = try await queue(redis).claim(upTo: 5)

    #expect(claim.jobs.map(\.key) == ["twice", "good"])
    #expect(claim.dropped.map(\.key) == ["missing", "text", "ended", "broken", "twice"])
    #expect(claim.dropped.map(\.why) == ["missing", "string", "done", "failed", "claimed"])
    #expect(try await redis.command("EXISTS", "missing") == 0)
    #expect(try await hash(redis, "ended") == ["status": "done", "original_name": "a.tif"])
    #expect(try await list(redis, "predict").isEmpty)
  }

  @Test(.redisServer) func `a processing list of another type is an error that moves nothing`()
    async throws
  {
    let redis = try #require(RedisServer.connection)
    try await submit(redis, "job")
    try await redis.command("SET", "processing-predict:pod-1", "x")
    let error = await #expect(throws: RedisError.self) { try await queue(redis).claim(upTo: 1) }
    #expect(error?.serverCode == "WRONGTYPE")
    #expect(try await list(redis, "predict") == ["job"])
    #expect(try await hash(redis, "job")["status"] == "new")
  }

  @Test(.redisServer) func `waiting ends when a job is pushed, and leaves it where it is`()
    async throws
  {
    let redis = try #require(RedisServer.connection)
    let queue = queue(redis)
    async let waited = queue.waitForJob()
    try await eventually("the waiter blocks") {
      let clients: String = try await redis.command("CLIENT", "LIST").decode()
      return clients.contains("cmd=blmove")
    }
    try await submit(redis, "job")
    #expect(try await waited)
    #expect(try await list(redis, "predict") == ["job"])
  }

  @Test(.redisServer) func `fields are written while the job is held, and not after`() async throws
  {
    let redis = try #require(RedisServer.connection)
    try await submit(redis, "job")
    let queue = queue(redis)
    let job = try #require(try await queue.claim(upTo: 1).jobs.first)

    #expect(try await queue.update(job, ["status": "predicting", "progress": "15"]) == .held)
    #expect(try await hash(redis, "job")["progress"] == "15")

    // The janitor takes it away.
    try await redis.command("LREM", "processing-predict:pod-1", 1, "job")
    #expect(try await queue.update(job, ["status": "post-processing"]) == .lost)
    #expect(try await hash(redis, "job")["status"] == "predicting")
    #expect(try await queue.finish(job, .done, ["output_url": "u"], at: time) == .lost)
    #expect(try await hash(redis, "job")["output_url"] == nil)
  }

  @Test(.redisServer) func `a hash that a client removed is not made again`() async throws {
    let redis = try #require(RedisServer.connection)
    let queue = queue(redis)
    func removed() async throws -> ClaimedJob {
      try await submit(redis, "job")
      let job = try #require(try await queue.claim(upTo: 1).jobs.first)
      try await redis.command("DEL", "job")
      return job
    }
    func isInNoList() async throws -> Bool {
      let exists = try await redis.command("EXISTS", "job") == 1
      let list = try await list(redis, "processing-predict:pod-1")
      return !exists && list.isEmpty
    }
    #expect(try await queue.update(removed(), ["status": "predicting"]) == .gone)
    #expect(try await isInNoList())
    _ = try await removed()
    #expect(try await queue.heartbeat(["job"]) == ["job"])
    #expect(try await isInNoList())
    #expect(try await queue.finish(removed(), .done, [:], at: time) == .gone)
    #expect(try await isInNoList())
    #expect(try await queue.release(removed()) == .gone)
    #expect(try await isInNoList())
  }

  @Test(.redisServer) func `one job that is not UTF-8 does not keep the others from being claimed`()
    async throws
  {
    let redis = try #require(RedisServer.connection)
    let odd = Array("caf".utf8) + [0xE9]
    try await redis.command("HSET", odd, "status", "new")
    try await redis.command("HSET", "fields", "status", "new", "original_name", odd)
    for key in [odd, Array("gone".utf8) + [0xFF], Array("fields".utf8)] {
      try await redis.command("LPUSH", "predict", key)
    }
    try await submit(redis, "good")
    let queue = queue(redis)

    let claim = try await queue.claim(upTo: 4)
    #expect(claim.jobs.map(\.key) == ["fields", "good"])
    #expect(claim.jobs.first?.job.originalName == "caf\u{FFFD}")
    #expect(claim.dropped.map(\.key) == ["gone\u{FFFD}", "caf\u{FFFD}"])
    #expect(claim.dropped.map(\.why) == ["missing", "not UTF-8"])
    let end: [String: String] = try await redis.command("HGETALL", odd).decode()
    #expect(end["status"] == "failed")
    #expect(end["error_code"] == "invalid_input")
    #expect(end["updated_by"] == "pod-1")
    #expect(try await list(redis, "processing-predict:pod-1") == ["good", "fields"])

    try await redis.command("HSET", odd, "status", "started")
    try await redis.command("LPUSH", "processing-predict:pod-1", odd)
    #expect(try await queue.recover(except: ["good", "fields"]) == ["caf\u{FFFD}"])
    #expect(try await redis.command("LRANGE", "predict", 0, -1).array?.first?.bytes == odd)
  }

  @Test(.redisServer) func `the end is written once and with all that belongs to it`() async throws
  {
    let redis = try #require(RedisServer.connection)
    try await submit(redis, "job")
    let queue = queue(redis)
    let job = try #require(try await queue.claim(upTo: 1).jobs.first)

    #expect(try await queue.finish(job, .done, ["output_url": "u"], at: time) == .held)
    // The reply was lost: the same call again.
    #expect(try await queue.finish(job, .done, ["output_url": "u"], at: time) == .held)
    // Another end does not replace it.
    let later = Timestamp(microseconds: time.microseconds + 1)
    let failure = JobEnd.failed(reason: "Late: too late", errorCode: "internal")
    #expect(try await queue.finish(job, failure, [:], at: later) == .lost)

    let fields = try await hash(redis, "job")
    #expect(fields["status"] == "done")
    #expect(fields["output_url"] == "u")
    #expect(fields["finished_at"] == time.description)
    #expect(fields["updated_at"] == time.description)
    #expect(fields["reason"] == nil)
    #expect(try await list(redis, "processing-predict:pod-1").isEmpty)
  }

  @Test(.redisServer) func `a failure carries its reason and code`() async throws {
    let redis = try #require(RedisServer.connection)
    try await submit(redis, "job")
    let queue = queue(redis)
    let job = try #require(try await queue.claim(upTo: 1).jobs.first)
    let end = JobEnd.failed(reason: "InvalidInput: a.tif is empty", errorCode: "invalid_input")
    #expect(try await queue.finish(job, end, [:], at: time) == .held)
    let fields = try await hash(redis, "job")
    #expect(fields["status"] == "failed")
    #expect(fields["reason"] == "InvalidInput: a.tif is empty")
    #expect(fields["error_code"] == "invalid_input")
  }

  @Test(.redisServer) func `a released job runs next and looks as before its claim`() async throws {
    let redis = try #require(RedisServer.connection)
    try await submit(redis, "parent", status: "waiting")
    try await submit(redis, "later")
    let queue = queue(redis)
    let job = try #require(try await queue.claim(upTo: 1).jobs.first)
    #expect(try await queue.update(job, ["progress": "50"]) == .held)

    #expect(try await queue.release(job) == .held)

    #expect(try await list(redis, "predict") == ["later", "parent"])
    let fields = try await hash(redis, "parent")
    #expect(fields["status"] == "waiting")
    #expect(fields["progress"] == nil)
    #expect(try await queue.release(job) == .lost)
    #expect(try await list(redis, "predict") == ["later", "parent"])
  }

  @Test(.redisServer) func `jobs left behind go back in order, but those in work stay`()
    async throws
  {
    let redis = try #require(RedisServer.connection)
    for name in ["first", "second", "held", "gone", "ended", "parent"] {
      try await submit(redis, name, status: name == "parent" ? "waiting" : "new")
    }
    let queue = queue(redis)
    #expect(try await queue.claim(upTo: 6).jobs.count == 6)
    try await redis.command("DEL", "gone")
    try await redis.command("HSET", "ended", "status", "done")
    try await redis.command("HSET", "parent", "status", "waiting")
    try await submit(redis, "new one")

    let recovered = try await queue.recover(except: ["held"])

    #expect(recovered == ["parent", "second", "first"])
    #expect(try await list(redis, "predict") == ["new one", "parent", "second", "first"])
    #expect(try await list(redis, "processing-predict:pod-1") == ["held"])
    #expect(try await hash(redis, "first")["status"] == "new")
    #expect(try await hash(redis, "parent")["status"] == "waiting")
    #expect(try await hash(redis, "held")["status"] == "started")
    #expect(try await redis.command("EXISTS", "gone") == 0)
  }

  @Test(.redisServer) func `a heartbeat refreshes what is held and names what is lost`()
    async throws
  {
    let redis = try #require(RedisServer.connection)
    try await submit(redis, "a")
    try await submit(redis, "b")
    _ = try await queue(redis).claim(upTo: 2)
    try await redis.command("LREM", "processing-predict:pod-1", 1, "b")
    let later = Timestamp(microseconds: time.microseconds + 5_000_000)
    let queue = JobQueue(name: "predict", worker: "pod-1", redis: redis, now: { later })
    #expect(try await queue.heartbeat(["a", "b"]) == ["b"])
    #expect(try await hash(redis, "a")["updated_at"] == later.description)
    #expect(try await hash(redis, "b")["updated_at"] == time.description)
  }

  @Test(.redisServer) func `two workers never claim the same job`() async throws {
    let redis = try #require(RedisServer.connection)
    for i in 0..<200 { try await submit(redis, "job \(i)") }
    let keys = try await withThrowingTaskGroup(of: [String].self) { group in
      for worker in 0..<8 {
        let queue = queue(redis, worker: "pod-\(worker)")
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
}
