import Consumers
import JobQueue
import RedisClient
import TestSupport
import Testing

/// Jobs whose parts are jobs of another queue.
@Suite struct ParentTests {
  private func submit(
    _ harness: ConsumerHarness, count: Int, _ policy: ParkingPolicy = .collectAll
  ) async throws -> String {
    try await harness.submit(fields: ["count": String(count), "policy": policy.rawValue])
  }

  private func waitUntilParked(_ key: String, _ harness: ConsumerHarness) async throws {
    try await eventually("the job waits for its parts") {
      try await harness.fields(key)["status"] == "waiting"
    }
  }

  @Test(.redisServer) func `a thousand parts are made, done and gathered in order`() async throws {
    let harness = try ConsumerHarness()
    let key = try await submit(harness, count: 1000)
    try await harness.withService(SumConsumer.self) { _ in
      try await harness.withService(SquareConsumer.self, on: "parts", slots: 8) { _ in
        let fields = try await harness.end(of: key)
        #expect(fields["status"] == "done")
        #expect(fields["total_jobs"] == "1000" && fields["failed"] == "100")
        let expected = (0..<1000).filter { $0 % 10 != 7 }.reduce(0) { $0 + $1 * $1 }
        #expect(fields["sum"] == String(expected))
        let names = (0..<1000).map(SumConsumer.name).joined(separator: ";")
        #expect(fields["names"] == names)
        #expect(fields["progress"] == "100")
        #expect(fields["children"]?.split(separator: ",").count == 1000)
      }
    }
    let counts = try await harness.context.queue.counts()
    #expect(counts == QueueCounts())
  }

  @Test(.redisServer) func `a job that waits holds no slot`() async throws {
    let harness = try ConsumerHarness()
    let key = try await submit(harness, count: 2)
    try await harness.withService(SumConsumer.self) { _ in
      try await waitUntilParked(key, harness)
      #expect(try await harness.list(harness.processing).isEmpty)
      let other = try await submit(harness, count: 0)
      #expect(try await harness.end(of: other)["sum"] == "0")
      #expect(try await harness.fields(key)["status"] == "waiting")
    }
  }

  @Test(.redisServer) func `a crash between two batches makes no part twice`() async throws {
    let harness = try ConsumerHarness()
    let key = try await submit(harness, count: 250)
    let dead = JobQueue(
      name: ConsumerHarness.queue, worker: "pod-1", redis: harness.redis,
      settings: harness.context.queue.settings)
    let claimed = try #require(try await dead.claim(upTo: 1).jobs.first)
    let parts = (0..<250).map {
      ChildJob(
        of: key, index: $0, queue: "parts", name: SumConsumer.name($0),
        fields: ["number": String($0), Field.originalName: SumConsumer.name($0)])
    }
    // What is in the way of the last batch lets the others be made.
    try await harness.redis.command("SET", parts[249].key, "in the way")
    await #expect(throws: RedisError.self) {
      try await dead.park(claimed, waitingFor: parts, .collectAll)
    }
    try await harness.redis.command("DEL", parts[249].key)
    #expect(try await harness.list("parts").count == 200)

    try await harness.withService(SquareConsumer.self, on: "parts", slots: 4) { _ in
      // Some have ended before the parent is taken again.
      _ = try await harness.end(of: parts[0].key)
      try await harness.withService(SumConsumer.self) { _ in
        let fields = try await harness.end(of: key)
        #expect(fields["total_jobs"] == "250" && fields["failed"] == "25")
      }
    }
    for part in parts {
      #expect(try await harness.redis.command("GET", "runs \(part.key)").integer == 1)
    }
  }

  @Test(.redisServer) func `a parent that fails fast says which part failed, and ends the others`()
    async throws
  {
    let harness = try ConsumerHarness()
    let key = try await submit(harness, count: 120, .failFast)
    try await harness.withService(SumConsumer.self) { _ in
      try await waitUntilParked(key, harness)
      let parts = JobQueue(name: "parts", worker: "pod-p", redis: harness.redis)
      let jobs = try await parts.claim(upTo: 8).jobs
      _ = try await parts.fail(
        jobs[7], JobFailure(.input, reason: "InvalidInput: no image", errorCode: "invalid_input"))
      let fields = try await harness.end(of: key)
      #expect(fields["status"] == "failed" && fields["error_code"] == "invalid_input")
      #expect(fields["reason"] == "InvalidInput: part, 7.tif: InvalidInput: no image")

      _ = try await harness.context.queue.reconcile()
      #expect(try await harness.list("parts").isEmpty)
      #expect(try await parts.update(jobs[0], [:]) == .canceled)
      let children = try #require(fields["children"])
      let last = try #require(children.split(separator: ",").last)
      #expect(try await harness.fields(String(last))["error_code"] == "canceled")
    }
  }

  @Test(.redisServer) func `a parent that runs again makes its parts anew`() async throws {
    let harness = try ConsumerHarness()
    let key = try await submit(harness, count: 2, .failFast)
    let queue = harness.context.queue
    try await harness.withService(SumConsumer.self) { _ in
      try await waitUntilParked(key, harness)
      let parts = JobQueue(name: "parts", worker: "pod-p", redis: harness.redis)
      let jobs = try await parts.claim(upTo: 2).jobs
      _ = try await parts.fail(jobs[0], JobFailure(.input, reason: "R", errorCode: "x"))
      #expect(try await harness.end(of: key)["status"] == "failed")

      #expect(try await queue.requeue(key) == .requeued)
      try await harness.withService(SquareConsumer.self, on: "parts") { _ in
        let fields = try await harness.end(of: key)
        #expect(fields["status"] == "done" && fields["sum"] == "1")
      }
    }
  }

  /// Parks once it is cancelled.
  final class LateConsumer: Consumer {
    override func consume(_ job: Job) async throws -> JobStatus {
      while !run.isCancelled { try? await Task.sleep(for: .milliseconds(2)) }
      return try park([JobSubmission(queue: "parts", originalName: "a", inputFileName: "a")])
    }
  }

  @Test(.redisServer) func `a parent that is cancelled before it waits makes no parts`()
    async throws
  {
    let harness = try ConsumerHarness()
    let key = try await harness.submit()
    try await harness.withService(LateConsumer.self) { _ in
      try await eventually("the job is in work") {
        try await harness.fields(key)["status"] == "started"
      }
      let tool = JobQueue(name: ConsumerHarness.queue, worker: "tool", redis: harness.redis)
      #expect(try await tool.cancel(key) == .running)
      #expect(try await harness.end(of: key)["error_code"] == "canceled")
      #expect(try await harness.list("parts").isEmpty)
    }
  }

  @Test(.redisServer) func `a parent that is cancelled while it waits ends with its parts`()
    async throws
  {
    let harness = try ConsumerHarness()
    let key = try await submit(harness, count: 30)
    try await harness.withService(SumConsumer.self) { _ in
      try await waitUntilParked(key, harness)
      let tool = JobQueue(name: ConsumerHarness.queue, worker: "tool", redis: harness.redis)
      #expect(try await tool.cancel(key) == .canceled)
      let fields = try await harness.fields(key)
      #expect(fields["status"] == "failed" && fields["error_code"] == "canceled")
      #expect(try await harness.list("parts").isEmpty)
      #expect(try await tool.counts().parked == 0)
    }
  }

  @Test(.redisServer) func `a part whose hash is gone counts as failed`() async throws {
    let harness = try ConsumerHarness()
    let key = try await submit(harness, count: 3)
    try await harness.withService(SumConsumer.self) { _ in
      try await waitUntilParked(key, harness)
      let gone = try #require(try await harness.list("parts").last)
      try await harness.redis.command("DEL", gone)
      _ = try await harness.context.queue.reconcile()
      try await harness.withService(SquareConsumer.self, on: "parts") { _ in
        let fields = try await harness.end(of: key)
        #expect(fields["failed"] == "1" && fields["sum"] == "5" && fields["total_jobs"] == "3")
      }
    }
  }

  @Test(.redisServer) func `a key that is in a part's way fails the job with a reason`()
    async throws
  {
    let harness = try ConsumerHarness()
    let key = try await submit(harness, count: 1)
    let part = ChildJob(
      of: key, index: 0, queue: "parts", name: SumConsumer.name(0), fields: [:])
    try await harness.redis.command("SET", part.key, "in the way")
    try await harness.withService(SumConsumer.self) { _ in
      let fields = try await harness.end(of: key)
      #expect(fields["error_code"] == "redis")
      #expect(fields["reason"]?.contains("is a string, not a hash") == true)
    }
  }

  /// Waits twice: for a pair of parts, then for a third that depends on them.
  final class TwoStepConsumer: Consumer {
    override func consume(_ job: Job) async throws -> JobStatus {
      func part(_ number: Int) -> JobSubmission {
        JobSubmission(
          queue: "parts", originalName: "same name", inputFileName: "",
          fields: ["number": String(number)])
      }
      let parts = try await children(reading: ["square"])
      let sum = parts.compactMap { $0["square"].flatMap { Int($0) } }.reduce(0, +)
      switch parts.count {
      case 0: return try park([part(1), part(2)])
      case 2: return try park([part(sum)])
      default:
        try await updateKey(job, ["sum": String(sum)])
        return .done
      }
    }
  }

  @Test(.redisServer) func `a job can wait more than once`() async throws {
    let harness = try ConsumerHarness()
    let key = try await harness.submit()
    try await harness.withService(TwoStepConsumer.self) { _ in
      try await harness.withService(SquareConsumer.self, on: "parts") { _ in
        let fields = try await harness.end(of: key)
        #expect(fields["sum"] == "30")
      }
    }
  }

  /// Waits for those of its parts that have not ended.
  final class WaitingConsumer: Consumer {
    override func consume(_ job: Job) async throws -> JobStatus {
      let parts = try await children(reading: ["square"])
      let left = parts.filter { !$0.hasEnded }
      guard left.isEmpty else { return try park(untilEnded: left.map(\.key)) }
      try await updateKey(
        job, ["squares": parts.map { $0["square"] ?? "?" }.joined(separator: ";")])
      return .done
    }
  }

  @Test(.redisServer) func `a waiting job of another kind of consumer is taken over`() async throws
  {
    let harness = try ConsumerHarness()
    // As the Python consumer of archives leaves it: in the queue, with parts it looks at itself.
    for number in 1...3 {
      try await harness.redis.command(
        "HSET", "part-\(number)", "status", number == 1 ? "done" : "new", "number",
        String(number), "square", "")
    }
    try await harness.redis.command("LPUSH", "parts", "part-2", "part-3")
    let key = try await harness.submit(fields: ["children": "part-1,part-2,part-3,part-4"])
    try await harness.redis.command("HSET", key, "status", "waiting")
    try await harness.withService(WaitingConsumer.self) { _ in
      try await harness.withService(SquareConsumer.self, on: "parts") { _ in
        let fields = try await harness.end(of: key)
        #expect(fields["squares"] == "?;4;9;?")
        #expect(fields["children"] == "part-1,part-2,part-3,part-4")
      }
    }
    #expect(try await harness.redis.command("EXISTS", "part-4") == 0)
  }

  final class ForgetfulConsumer: Consumer {
    override func consume(_ job: Job) async throws -> JobStatus { .waiting }
  }

  @Test(.redisServer) func `a job that waits for nothing named fails`() async throws {
    let harness = try ConsumerHarness()
    let key = try await harness.submit()
    try await harness.withService(ForgetfulConsumer.self) { _ in
      let fields = try await harness.end(of: key)
      #expect(fields["error_code"] == "internal")
      #expect(fields["reason"]?.contains("waiting") == true)
    }
  }
}
