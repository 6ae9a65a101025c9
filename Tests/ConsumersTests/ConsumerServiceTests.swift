import Consumers
import Foundation
import JobQueue
import RedisClient
import TestSupport
import Testing

@Suite struct ConsumerServiceTests {
  /// Downloads its input and says so.
  final class EchoConsumer: TensorFlowServingConsumer {
    override func consume(_ job: Job) async throws -> JobStatus {
      let file = try await download(job.inputFileName)
      try await updateKey(job, [Field.status: JobStatus.predicting.rawValue])
      let text = try String(contentsOf: file, encoding: .utf8)
      let archive = try zip([file])
      let stored = try await upload(archive)
      try await updateKey(
        job, ["echo": text, Field.outputFileName: stored.key, Field.outputURL: stored.url])
      return .done
    }
  }

  /// Works until it is stopped.
  final class EndlessConsumer: TensorFlowServingConsumer {
    override func consume(_ job: Job) async throws -> JobStatus {
      _ = try await download(job.inputFileName)
      try await Task.sleep(for: .seconds(600))
      return .done
    }
  }

  /// Works until the test lets it end.
  final class PatientConsumer: Consumer {
    override func consume(_ job: Job) async throws -> JobStatus {
      let redis = try #require(RedisServer.connection)
      while try await redis.command("EXISTS", "go \(job.key)") != 1 {
        try await Task.sleep(for: .milliseconds(5))
      }
      return .done
    }
  }

  final class FailingConsumer: Consumer {
    struct Odd: Error, CustomStringConvertible {
      let description = "first line\nsecond line"
    }

    override func consume(_ job: Job) async throws -> JobStatus {
      if job.originalName == "input.tif" { throw JobError(.invalidInput, "input.tif is empty") }
      throw Odd()
    }
  }

  final class ReturningConsumer: Consumer {
    private var seen: Set<String> = []

    override func consume(_ job: Job) async throws -> JobStatus {
      seen.insert(job.key).inserted ? .putBack : .done
    }
  }

  @Test(.redisServer) func `a job runs from claim to end and leaves no file behind`() async throws {
    let harness = try ConsumerHarness()
    let key = try await harness.submit(Data("hello".utf8))
    try await harness.withService(EchoConsumer.self) { _ in
      let fields = try await harness.end(of: key)
      #expect(fields["status"] == "done")
      #expect(fields["echo"] == "hello")
      #expect(fields["identity_started"] == "pod-1")
      #expect(fields["updated_by"] == "pod-1")
      #expect(fields["progress"] == "100")
      #expect(fields["total_jobs"] == "1")
      #expect(fields["reason"] == nil)
      #expect(fields["total_time"].flatMap(Double.init).map { $0 > 0 } == true)
      #expect(fields["finished_at"].flatMap(Timestamp.init) != nil)
      let output = try #require(fields["output_file_name"])
      #expect(output.wholeMatch(of: #/output\/[0-9a-f]{32}\.zip/#) != nil)
      #expect(FileManager.default.fileExists(atPath: harness.store.file(output)))
      #expect(fields["output_url"] == "file://" + harness.store.file(output))
    }
    #expect(try await harness.list(harness.processing).isEmpty)
    #expect(try await harness.list("predict").isEmpty)
    #expect(try harness.leftovers.isEmpty)
  }

  @Test(.redisServer) func `a failed job says why, and the next one runs`() async throws {
    let harness = try ConsumerHarness()
    let first = try await harness.submit(name: "missing.tif")
    let second = try await harness.submit(Data("x".utf8), name: "there.tif")
    try await harness.withService(EchoConsumer.self) { _ in
      let failed = try await harness.end(of: first)
      #expect(failed["status"] == "failed")
      #expect(failed["error_code"] == "storage_not_found")
      let reason = try #require(failed["reason"])
      #expect(reason.hasPrefix("StorageNotFound: uploads/missing.tif does not exist"))
      #expect(failed["finished_at"] != nil)
      #expect(failed["output_url"] == nil)
      #expect(try await harness.end(of: second)["status"] == "done")
    }
  }

  @Test(.redisServer) func `any error becomes one line with a type and a code`() async throws {
    let harness = try ConsumerHarness()
    let known = try await harness.submit(name: "input.tif")
    let odd = try await harness.submit(name: "odd.tif")
    try await harness.withService(FailingConsumer.self) { _ in
      let first = try await harness.end(of: known)
      #expect(first["reason"] == "InvalidInput: input.tif is empty")
      #expect(first["error_code"] == "invalid_input")
      let second = try await harness.end(of: odd)
      #expect(second["reason"] == "Internal: first line second line")
      #expect(second["error_code"] == "internal")
    }
  }

  @Test(.redisServer) func `several jobs are in work at a time, each in its slot`() async throws {
    let harness = try ConsumerHarness()
    for _ in 0..<5 { _ = try await harness.submit(Data("x".utf8)) }
    try await harness.withService(EndlessConsumer.self, slots: 3) { service in
      try await eventually("three jobs are in work") {
        try await harness.list(harness.processing).count == 3
      }
      #expect(try await harness.list("predict").count == 2)
      service.stop()
    }
    // All five are back, none ran.
    #expect(try await harness.list("predict").count == 5)
    #expect(try await harness.list(harness.processing).isEmpty)
    #expect(try harness.leftovers.isEmpty)
  }

  @Test(.redisServer) func `a drained service ends its jobs and takes no more`() async throws {
    let harness = try ConsumerHarness()
    let running = try await harness.submit(Data("x".utf8))
    try await harness.withService(PatientConsumer.self) { service in
      try await eventually("the job is in work") {
        try await harness.fields(running)["status"] == "started"
      }
      let waiting = try await harness.submit(Data("x".utf8))
      service.drain()
      try await harness.redis.command("SET", "go \(running)", "1")
      #expect(try await harness.end(of: running)["status"] == "done")
      #expect(try await harness.list("predict") == [waiting])
    }
    #expect(try await harness.list("predict").count == 1)
  }

  @Test(.redisServer) func `a stopped job is as it was before its claim`() async throws {
    let harness = try ConsumerHarness()
    let key = try await harness.submit(Data("x".utf8))
    try await harness.withService(EndlessConsumer.self) { service in
      try await eventually("the job is in work") {
        try await harness.fields(key)["status"] == "started"
      }
      service.stop()
    }
    let fields = try await harness.fields(key)
    #expect(fields["status"] == "new")
    #expect(fields["reason"] == nil)
    #expect(try await harness.list("predict") == [key])
  }

  @Test(.redisServer) func `a consumer can put its job back`() async throws {
    let harness = try ConsumerHarness()
    let key = try await harness.submit()
    try await harness.withService(ReturningConsumer.self) { _ in
      let fields = try await harness.end(of: key)
      #expect(fields["status"] == "done")
    }
  }

  @Test(.redisServer) func `a job over its time fails and the next one runs`() async throws {
    let harness = try ConsumerHarness(
      delivery: DeliverySettings(jobTimeout: .milliseconds(300)))
    let key = try await harness.submit(Data("x".utf8))
    try await harness.withService(EndlessConsumer.self) { _ in
      let fields = try await harness.end(of: key)
      #expect(fields["error_code"] == "timeout")
      #expect(fields["reason"]?.contains("JOB_TIMEOUT") == true)
    }
    #expect(try harness.leftovers.isEmpty)
  }

  @Test(.redisServer) func `a job taken by another is stopped and not written to`() async throws {
    let harness = try ConsumerHarness()
    let key = try await harness.submit(Data("x".utf8))
    let next = try await harness.submit(Data("x".utf8))
    try await harness.withService(EndlessConsumer.self) { service in
      try await eventually("the job is in work") {
        try await harness.fields(key)["status"] == "started"
      }
      // A janitor takes it for a dead worker's, and a consumer that knows no leases begins with it.
      try await harness.redis.command("LREM", harness.processing, 1, key)
      try await harness.redis.command("HSET", key, "updated_by", "pod-9")
      try await eventually("the slot is free for the next job") {
        try await harness.list(harness.processing) == [next]
      }
      #expect(try await harness.fields(key)["status"] == "started")
      service.stop()
    }
  }

  @Test(.redisServer) func `a job left by an earlier process of the same name runs first`()
    async throws
  {
    let harness = try ConsumerHarness()
    let old = try await harness.submit(Data("old".utf8))
    // The earlier process claimed it and died.
    _ = try await harness.context.queue.claim(upTo: 1)
    let new = try await harness.submit(Data("new".utf8), name: "b.tif")
    try await harness.withService(EchoConsumer.self) { _ in
      let first = try await harness.end(of: old)
      let second = try await harness.end(of: new)
      #expect(first["status"] == "done")
      let times = try [first, second].map { try #require($0["finished_at"]) }
      #expect(times[0] < times[1])
    }
  }

  @Test(.redisServer) func `jobs survive a restart of Redis`() async throws {
    let harness = try ConsumerHarness()
    let server = try #require(RedisServer.current)
    try await harness.redis.command("CONFIG", "SET", "appendonly", "yes")
    try await harness.withService(EchoConsumer.self) { _ in
      for round in 0..<3 {
        let key = try await harness.submit(Data("x".utf8))
        if round < 2 {
          #expect(try await harness.end(of: key)["status"] == "done")
        }
        try await server.restart()
      }
      let key = try await harness.submit(Data("x".utf8))
      #expect(try await harness.end(of: key)["status"] == "done")
    }
  }
}
