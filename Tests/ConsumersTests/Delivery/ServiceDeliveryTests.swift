import Consumers
import Foundation
import JobQueue
import RedisClient
import Synchronization
import TestSupport
import Testing

/// What the service does when jobs fail, workers are lost, or Redis is.
@Suite struct ServiceDeliveryTests {
  /// Fails the first time.
  final class FlakyConsumer: Consumer {
    private var seen: Set<String> = []

    override func consume(_ job: Job) async throws -> JobStatus {
      if seen.insert(job.key).inserted { throw JobError(.storage, "the bucket is away") }
      return .done
    }
  }

  /// Works until it is stopped, and tells how many are at it.
  final class StubbornConsumer: Consumer {
    final class State: Sendable {
      private let counts = Mutex([String: Int]())

      var running: [String: Int] { counts.withLock { $0 } }

      func add(_ number: Int, to key: String) { counts.withLock { $0[key, default: 0] += number } }
    }

    static let state = State()

    override func consume(_ job: Job) async throws -> JobStatus {
      Self.state.add(1, to: job.key)
      defer { Self.state.add(-1, to: job.key) }
      try await Task.sleep(for: .seconds(600))
      return .done
    }
  }

  @Test(.redisServer) func `a failure that may pass is tried again, others are not`() async throws {
    let harness = try ConsumerHarness()
    let key = try await harness.submit(name: "flaky.tif")
    try await harness.withService(FlakyConsumer.self) { _ in
      let fields = try await harness.end(of: key)
      #expect(fields["status"] == "done")
      #expect(fields["attempts"] == "1")
      #expect(fields["last_error"] == "Storage: the bucket is away")
    }
    #expect(try await harness.context.queue.deadLetters(upTo: 9).isEmpty)
  }

  @Test(.redisServer) func `a running job is cancelled and the next one runs`() async throws {
    let harness = try ConsumerHarness(
      delivery: DeliverySettings(heartbeatInterval: .seconds(3600)))
    let key = try await harness.submit(Data("x".utf8))
    let next = try await harness.submit(Data("x".utf8))
    try await harness.withService(ConsumerServiceTests.EndlessConsumer.self) { service in
      try await eventually("the job is in work, and cancellations are heard") {
        let heard = try await harness.redis.command(
          "PUBSUB", "NUMSUB", Keys.cancellations(in: ConsumerHarness.queue))
        return try await harness.fields(key)["status"] == "started" && heard.array?.last == 1
      }
      let tool = JobQueue(
        name: ConsumerHarness.queue, worker: "tool", redis: harness.redis)
      #expect(try await tool.cancel(key) == .running)
      let fields = try await harness.end(of: key)
      #expect(fields["error_code"] == "canceled" && fields["reason"] == "Canceled: by user")
      try await eventually("the next job is in work") {
        try await harness.fields(next)["status"] == "started"
      }
      service.stop()
    }
  }

  @Test(.redisServer) func `a lost worker's job runs on another`() async throws {
    let harness = try ConsumerHarness(
      delivery: DeliverySettings(
        leaseTime: .milliseconds(600), heartbeatInterval: .milliseconds(100),
        reapInterval: .milliseconds(100)))
    let key = try await harness.submit(Data("x".utf8))
    let dead = JobQueue(
      name: ConsumerHarness.queue, worker: "pod-9", redis: harness.redis,
      settings: harness.context.queue.settings)
    #expect(try await dead.claim(upTo: 1).jobs.map(\.key) == [key])
    try await harness.withService(ConsumerServiceTests.EchoConsumer.self) { _ in
      let fields = try await harness.end(of: key)
      #expect(fields["status"] == "done" && fields["identity_started"] == "pod-1")
    }
    #expect(try await harness.list("processing-predict:pod-9").isEmpty)
  }

  @Test(.redisServer) func `without Redis a job is stopped before another may have it`()
    async throws
  {
    let harness = try ConsumerHarness(
      delivery: DeliverySettings(
        leaseTime: .seconds(3), heartbeatInterval: .milliseconds(200),
        reapInterval: .milliseconds(200)))
    let server = try #require(RedisServer.current)
    let key = try await harness.submit(Data("x".utf8))
    try await harness.withService(StubbornConsumer.self) { service in
      try await eventually("the job is in work") {
        StubbornConsumer.state.running[key] == 1
      }
      await server.freeze()
      try await eventually("the job was stopped") { StubbornConsumer.state.running[key] == 0 }
      await server.thaw()
      try await eventually("the job is in work again") {
        StubbornConsumer.state.running[key] == 1
      }
      service.stop()
    }
    #expect(try await harness.list("predict") == [key])
    #expect(try await harness.fields(key)["status"] == "new")
  }

  @Test(.redisServer) func `a worker's card says what it does while it runs`() async throws {
    let harness = try ConsumerHarness()
    try await harness.withService(ConsumerServiceTests.EndlessConsumer.self, slots: 2) { service in
      try await eventually("there is a card") {
        try await harness.fields(Keys.card(of: "pod-1"))["state"] == "running"
      }
      let card = try await harness.fields(Keys.card(of: "pod-1"))
      #expect(
        card["queue"] == "predict" && card["slots"] == "2" && card["consumer_type"] == "image")
    }
    #expect(try await harness.redis.command("EXISTS", Keys.card(of: "pod-1")) == 0)
  }

  @Test(.redisServer) func `a service tidies up once after its jobs`() async throws {
    let harness = try ConsumerHarness()
    let times = Watched(0)
    let options = ServiceOptions(onIdle: { Task { await times.update { $0 += 1 } } })
    let key = try await harness.submit()
    await GatedConsumer.release(key)
    try await harness.withService(GatedConsumer.self, options: options) { _ in
      _ = try await harness.end(of: key)
      try await times.wait { $0 == 1 }
    }
    #expect(await times.value == 1)
  }
}
