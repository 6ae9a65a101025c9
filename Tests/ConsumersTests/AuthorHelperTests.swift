import Consumers
import Foundation
import JobQueue
import RedisClient
import Synchronization
import TestSupport
import Testing

/// What a consumer finds on the job in hand, beside the helpers for images.
@Suite struct AuthorHelperTests {
  /// Returns once, and does everything each time.
  final class TwiceConsumer: Consumer {
    private var executions = 0

    override func consume(_ job: Job) async throws -> JobStatus {
      executions += 1
      let other = try await submit(
        JobSubmission(queue: "Later", originalName: "a,b.tif", inputFileName: "uploads/b"),
        as: "report")
      let before = try await fetch("state")
      try await store(Array("after \(executions)".utf8), as: "state", expiring: .seconds(60))
      guard executions == 2 else { return .putBack }
      try await updateKey(
        job, ["other": other, "before": String(decoding: before ?? [], as: UTF8.self)])
      return .done
    }
  }

  @Test(.redisServer) func `a job is submitted once, and data outlives an execution`() async throws
  {
    let harness = try ConsumerHarness()
    let key = try await harness.submit()
    try await harness.withService(TwiceConsumer.self) { _ in
      let fields = try await harness.end(of: key)
      #expect(fields["before"] == "after 1")
      let other = try #require(fields["other"])
      #expect(try await harness.list("later") == [other])
      #expect(!other.contains(","))
      let made = try await harness.fields(other)
      #expect(made["original_name"] == "a,b.tif" && made["input_file_name"] == "uploads/b")
      #expect(made["status"] == "new" && made["identity_upload"] == "pod-1")
    }
    let lifetime = try await harness.redis.command("PTTL", "kiosk:data:\(key):state").integer
    #expect((1...60_000).contains(try #require(lifetime)))
  }

  /// Stores what the job says, or reads it.
  final class DataConsumer: Consumer {
    override func consume(_ job: Job) async throws -> JobStatus {
      if let owner = job["owner"] {
        let data = try await fetch("d", of: owner)
        try await updateKey(job, ["data": data.map { String(decoding: $0, as: UTF8.self) } ?? "-"])
      } else {
        let size = job["size"].flatMap { Int($0) } ?? 0
        try await store(
          Array(repeating: UInt8(ascii: "x"), count: size), as: job["as"] ?? "d",
          expiring: job["lifetime"] == nil ? .seconds(3600) : .milliseconds(1))
      }
      return .done
    }
  }

  @Test(.redisServer) func `data is small, has a name, expires, and others can read it`()
    async throws
  {
    let harness = try ConsumerHarness()
    try await harness.withService(DataConsumer.self) { _ in
      @Sendable func end(_ fields: [String: String]) async throws -> [String: String] {
        try await harness.end(of: harness.submit(fields: fields))
      }
      let kept = try await harness.submit(fields: ["size": "3"])
      #expect(try await harness.end(of: kept)["status"] == "done")
      #expect(try await end(["owner": kept])["data"] == "xxx")

      let short = try await harness.submit(fields: ["size": "3", "lifetime": "short"])
      _ = try await harness.end(of: short)
      try await eventually("the data has expired") {
        try await end(["owner": short])["data"] == "-"
      }
      #expect(try await end(["size": String(1 << 20)])["status"] == "done")
      let large = try await end(["size": String((1 << 20) + 1)])
      #expect(large["error_code"] == "internal")
      #expect(large["reason"]?.contains("1 MiB") == true)
      for name in ["a:b", "é", String(repeating: "n", count: 101)] {
        let odd = try await end(["as": name])
        #expect(odd["reason"]?.contains("cannot be a name") == true, "\(odd)")
      }
    }
  }

  final class PartialConsumer: TensorFlowServingConsumer {
    override func consume(_ job: Job) async throws -> JobStatus {
      for text in ["first", "second"] {
        let file = folder.url.appending(path: "preview.png")
        try Data(text.utf8).write(to: file)
        try await publish(partial: file)
      }
      run.setProgress(0.4)
      run.setProgress(.nan)
      run.setProgress(0.3)
      try await updateKey(job, [Field.status: JobStatus.predicting.rawValue])
      let redis = try #require(RedisServer.connection)
      while try await redis.command("EXISTS", "go") != 1 {
        try await Task.sleep(for: .milliseconds(5))
      }
      return .done
    }
  }

  @Test(.redisServer) func `a partial result and progress are seen before the end`() async throws {
    let harness = try ConsumerHarness()
    let key = try await harness.submit()
    try await harness.withService(PartialConsumer.self) { _ in
      try await eventually("the job is at its model") {
        try await harness.fields(key)["status"] == "predicting"
      }
      let fields = try await harness.fields(key)
      #expect(fields["progress"] == "40")
      let object = try #require(fields["partial_output_file_name"])
      #expect(object.wholeMatch(of: #/output\/[0-9a-f]{32}\/preview\.png/#) != nil)
      #expect(fields["partial_output_url"] == "file://" + harness.store.file(object))
      let text = try String(contentsOfFile: harness.store.file(object), encoding: .utf8)
      #expect(text == "second")
      try await harness.redis.command("SET", "go", "1")
      #expect(try await harness.end(of: key)["progress"] == "100")
    }
  }

  /// Fails twice in different ways, and says each time what it sees.
  final class CountingConsumer: Consumer {
    private var seen: [String] = []

    override func consume(_ job: Job) async throws -> JobStatus {
      let left = run.deadline.map { ContinuousClock.now.duration(to: $0) }
      let limit = left.map { $0 > .zero && $0 <= .seconds(500) } ?? false
      seen.append("\(run.attempt)/\(run.deliveries)/\(limit)/\(run.isResumed)")
      run.log("execution \(seen.count)")
      switch seen.count {
      case 1: throw JobError(.internal, "the lamp is warming up", .transient)
      case 2: throw JobError(.internal, "the microscope is in use", .capacity)
      case 3:
        try await updateKey(job, ["seen": seen.joined(separator: " ")])
        return .done
      default: throw JobError(.internal, "executed too often")
      }
    }
  }

  @Test(.redisServer) func `an error says whether the job is tried again`() async throws {
    let harness = try ConsumerHarness(
      delivery: DeliverySettings(
        jobTimeout: .seconds(500), retries: RetrySchedule(base: .milliseconds(20))))
    let key = try await harness.submit()
    try await harness.withService(CountingConsumer.self) { _ in
      let fields = try await harness.end(of: key)
      #expect(fields["seen"] == "1/1/true/false 2/1/true/false 2/1/true/false", "\(fields)")
      #expect(fields["attempts"] == "1")
    }
    let lines = try await harness.redis.command("XRANGE", Keys.log(of: key), "-", "+").array ?? []
    #expect(
      lines.compactMap { $0.array?.last?.array?.last?.string } == [
        "execution 1", "execution 2", "execution 3",
      ])
  }

  /// Blocks its thread until it is told to stop.
  final class BlockingConsumer: Consumer {
    override func consume(_ job: Job) async throws -> JobStatus {
      block()
      return .putBack
    }

    private func block() {
      while !run.isCancelled { Thread.sleep(forTimeInterval: 0.002) }
    }
  }

  @Test(.redisServer) func `a loop that is no task learns of a cancellation`() async throws {
    let harness = try ConsumerHarness()
    let key = try await harness.submit()
    try await harness.withService(BlockingConsumer.self) { _ in
      try await eventually("the job is in work") {
        try await harness.fields(key)["status"] == "started"
      }
      let tool = JobQueue(name: ConsumerHarness.queue, worker: "tool", redis: harness.redis)
      #expect(try await tool.cancel(key) == .running)
      #expect(try await harness.end(of: key)["error_code"] == "canceled")
    }
  }

  /// Writes what the end would write too.
  final class SummingConsumer: Consumer {
    override func consume(_ job: Job) async throws -> JobStatus {
      try await updateKey(
        job, [Field.totalJobs: "12", Field.totalTime: "1,2", Field.status: "saving-results"])
      return .done
    }
  }

  @Test(.redisServer) func `what the consumer wrote is not replaced at the end`() async throws {
    let harness = try ConsumerHarness()
    let key = try await harness.submit()
    try await harness.withService(SummingConsumer.self) { _ in
      let fields = try await harness.end(of: key)
      #expect(fields["total_jobs"] == "12" && fields["total_time"] == "1,2")
      #expect(fields["predict_retries"] == "0")
    }
  }
}
