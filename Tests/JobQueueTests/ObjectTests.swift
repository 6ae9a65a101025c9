import RedisClient
import TestSupport
import Testing

@testable import JobQueue

/// What is remembered of objects that jobs make for their children, and how children go.
@Suite struct ObjectTests {
  @Test(.redisServer) func `objects are noted, found once their job has ended, and forgotten`()
    async throws
  {
    let redis = try #require(RedisServer.connection)
    let queue = JobQueue(name: "q-zip", worker: "pod-1", redis: redis)
    for (job, status) in [("live", "waiting"), ("done", "done"), ("failed", "failed")] {
      try await redis.command("HSET", job, "status", status)
    }
    let objects = MadeObjects(["output/1/a b.tif", "output/1/é,日本.tif"])
    let withResults = MadeObjects(objects.keys, includeResults: true)
    for job in ["live", "done", "failed", "gone"] {
      try await queue.note(objects, of: job)
    }
    try await queue.note(withResults, of: "failed")
    #expect(try await queue.objects(of: "failed") == withResults)
    #expect(try await queue.objects(of: "live") == objects)
    #expect(try await queue.objects(of: "other") == nil)
    #expect(Set(try await queue.endedObjectMakers()) == ["done", "failed", "gone"])

    for job in ["done", "failed", "gone"] { try await queue.forgetObjects(of: job) }
    #expect(try await queue.endedObjectMakers() == [])
    #expect(try await queue.objects(of: "done") == nil)
    #expect(try await queue.objects(of: "live") == objects)
    #expect(try await redis.command("TTL", Keys.objects(of: "live")).integer ?? 0 > 0)
  }

  @Test(.redisServer) func `live jobs do not hide those that have ended`() async throws {
    let redis = try #require(RedisServer.connection)
    let queue = JobQueue(name: "q-zip", worker: "pod-1", redis: redis)
    for number in 0..<150 {
      try await redis.command("HSET", "job \(number)", "status", number < 149 ? "waiting" : "done")
      try await queue.note(MadeObjects(["a"]), of: "job \(number)")
    }
    var found: [String] = []
    for _ in 0..<2 { found += try await queue.endedObjectMakers() }
    #expect(found.contains("job 149"))
  }

  @Test(.redisServer) func `a time to live is set or shortened, and only where a job has ended`()
    async throws
  {
    let redis = try #require(RedisServer.connection)
    let queue = JobQueue(name: "q-zip", worker: "pod-1", redis: redis)
    let jobs = (0..<250).map { "job \($0)" }
    for job in jobs { try await redis.command("HSET", job, "status", "done") }
    try await redis.command("EXPIRE", jobs[0], 10)
    try await redis.command("EXPIRE", jobs[1], 100_000)
    try await redis.command("HSET", jobs[2], "status", "started")
    try await redis.command("DEL", jobs[3])
    try await redis.command("SET", "text", "no job")
    try await queue.expire(jobs + ["text"], after: .seconds(3600))
    func left(_ job: String) async throws -> Int {
      try await redis.command("TTL", job).decode()
    }
    #expect(try await left(jobs[0]) <= 10)
    #expect((3500...3600).contains(try await left(jobs[1])))
    #expect(try await left(jobs[2]) == -1)
    #expect(try await left(jobs[3]) == -2)
    #expect(try await left("text") == -1)
    #expect((3500...3600).contains(try await left(jobs[249])))
  }
}
