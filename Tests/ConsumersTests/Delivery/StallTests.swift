import Consumers
import Foundation
import JobQueue
import TestSupport
import Testing

/// Jobs that take long, and jobs that hang.
@Suite struct StallTests {
  private static let delivery = DeliverySettings(
    leaseTime: .seconds(2), heartbeatInterval: .milliseconds(50),
    reapInterval: .milliseconds(100), stallTime: .milliseconds(500))

  @Test(.redisServer, arguments: [true, false])
  func `a slow transfer is no hang`(isDownload: Bool) async throws {
    let harness = try ConsumerHarness(delivery: Self.delivery)
    let bucket = SlowBucket(
      base: harness.context.bucket, slowsDownloads: isDownload, slowsUploads: !isDownload)
    let key = try await harness.submit(Data("x".utf8))
    try await harness.withService(
      ConsumerServiceTests.EchoConsumer.self, bucket: bucket
    ) { _ in
      // Far more than a second.
      try await bucket.parts.wait { $0 > 150 }
      await bucket.isReleased.update { $0 = true }
      #expect(try await harness.end(of: key)["status"] == "done")
    }
    #expect(try await harness.events(of: key).count { $0 == "started" } == 1)
    #expect(!harness.log.text.contains("job_stalled"))
  }

  /// Hangs the first time, deaf to everything.
  private final class HungConsumer: Consumer {
    static let isReleased = Watched<Set<String>>([])

    override func consume(_ job: Job) async throws -> JobStatus {
      if run.deliveries > 1 { return .done }
      while await !Self.isReleased.value.contains(job.key) { sleep() }
      return .done
    }

    private func sleep() { Thread.sleep(forTimeInterval: 0.01) }
  }

  @Test(.redisServer) func `a job whose consumer hangs runs again in another slot`() async throws {
    let harness = try ConsumerHarness(delivery: Self.delivery)
    let key = try await harness.submit()
    try await harness.withService(HungConsumer.self, slots: 2) { _ in
      let fields = try await harness.end(of: key)
      #expect(fields["status"] == "done")
      await HungConsumer.isReleased.update { $0.insert(key) }
    }
    #expect(
      try await harness.events(of: key) == [
        "submitted", "started", "requeued", "started", "done",
      ])
    #expect(harness.log.text.contains("event=job_stalled"))
  }
}
