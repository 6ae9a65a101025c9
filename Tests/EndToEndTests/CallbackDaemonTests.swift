import JobQueue
import RedisClient
import TestSupport
import Testing

@Suite struct CallbackDaemonTests {
  @Test(.redisServer) func `a callback leaves with the end of its job`() async throws {
    let harness = try DaemonHarness()
    let receiver = try await TestWebServer()
    // Nobody looks for callbacks by the clock while the test runs.
    let daemon = try await harness.startDaemon([
      "REAP_INTERVAL": "3600", "CALLBACK_ALLOW_PRIVATE": "127.0.0.0/8",
    ])
    // What is due at the start has been looked for by the end of this one.
    let first = try await harness.submit()
    #expect(try await harness.end(of: first)["status"] == "done")

    var submission = JobSubmission(
      queue: DaemonHarness.queue, originalName: "nuclear_256.tif",
      inputFileName: "uploads/nuclear_256.tif")
    submission.delivery = DeliveryOptions(callbacks: [receiver.url("/done")])
    let key = try await submission.submit(to: harness.redis, submitter: "test")
    try await eventually("the receiver was called") { receiver.requests.count == 1 }
    #expect(receiver.requests.first?.target == "/done")
    #expect(try await harness.fields(key)["status"] == "done")
    #expect(try await daemon.stop() == .code(0))
  }
}
