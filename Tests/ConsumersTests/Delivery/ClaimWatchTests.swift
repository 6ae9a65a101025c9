import ConsumerTestSupport
import Consumers
import JobQueue
import TestSupport
import Testing

/// A process that takes no jobs although there are some.
@Suite struct ClaimWatchTests {
  private let isHung = Watched(true)
  private let alarms = Watched(0)

  /// The real claim, behind a hang.
  private var options: ServiceOptions {
    ServiceOptions(
      hangLimit: .milliseconds(300),
      onHang: { [alarms] in Task { await alarms.update { $0 += 1 } } },
      claim: { [isHung] queue, count in
        _ = try? await within(.seconds(50), "the test") { try await isHung.wait { !$0 } }
        return try await queue.claim(upTo: count)
      })
  }

  @Test(.redisServer) func `a process that takes no jobs any more is ended, once`() async throws {
    let harness = try ConsumerHarness()
    let key = try await harness.submit()
    await GatedConsumer.release(key)
    try await harness.withService(GatedConsumer.self, options: options) { _ in
      try await alarms.wait { $0 == 1 }
      #expect(harness.log.text.contains("critical: this process takes no jobs"))
      try await Task.sleep(for: .seconds(1))
      #expect(await alarms.value == 1)
      // The daemon would be gone. Here it shows that nothing was wrong but the claim.
      await isHung.update { $0 = false }
      #expect(try await harness.end(of: key)["status"] == "done")
    }
  }

  enum Reason: CaseIterable { case empty, paused, full, noRedis }

  @Test(.redisServer, arguments: Reason.allCases)
  func `a process that cannot take jobs is not taken for hung`(reason: Reason) async throws {
    let harness = try ConsumerHarness()
    let queue = harness.context.queue
    let server = try #require(RedisServer.current)
    var key = reason == .empty ? "" : try await harness.submit()
    switch reason {
    case .empty, .noRedis: break
    case .paused: try await queue.pause()
    case .full: try await queue.setLimits(QueueLimits(concurrency: 0))
    }
    try await harness.withService(GatedConsumer.self, options: options) { _ in
      if reason == .noRedis { await server.freeze() }
      try await Task.sleep(for: .seconds(1))
      #expect(await alarms.value == 0)
      // The watch was awake all the time.
      switch reason {
      case .empty: key = try await harness.submit()
      case .paused: try await queue.resume()
      case .full: try await queue.setLimits(QueueLimits())
      case .noRedis: await server.thaw()
      }
      try await alarms.wait { $0 == 1 }
      await GatedConsumer.release(key)
      await isHung.update { $0 = false }
      #expect(try await harness.end(of: key)["status"] == "done")
    }
  }

  @Test(.redisServer) func `a process that works or waits is not taken for hung`() async throws {
    await isHung.update { $0 = false }
    let harness = try ConsumerHarness()
    try await harness.withService(GatedConsumer.self, options: options) { _ in
      try await Task.sleep(for: .milliseconds(600))
      let keys = [try await harness.submit(), try await harness.submit()]
      try await Task.sleep(for: .milliseconds(600))
      for key in keys { await GatedConsumer.release(key) }
      for key in keys { #expect(try await harness.end(of: key)["status"] == "done") }
      try await queue(harness).setLimits(QueueLimits(rate: 0.001))
      let held = [try await harness.submit(), try await harness.submit()]
      for key in held { await GatedConsumer.release(key) }
      #expect(try await harness.end(of: held[0])["status"] == "done")
      try await Task.sleep(for: .milliseconds(600))
      #expect(await alarms.value == 0)
    }
  }

  private func queue(_ harness: ConsumerHarness) -> JobQueue { harness.context.queue }
}
