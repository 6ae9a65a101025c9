import Consumers
import Foundation
import JobQueue
import MetricsTestKit
import TestSupport
import Testing

@Suite struct DeliveryMetricsTests {
  /// Ends as the job says.
  private final class ObedientConsumer: Consumer {
    override func consume(_ job: Job) async throws -> JobStatus {
      switch job.originalName {
      case "bad": throw JobError(.invalidInput, "it is bad")
      case "flaky" where run.attempt == 1: throw JobError(.storage, "the bucket is away")
      default: return try stage(.postprocess) { .done }
      }
    }
  }

  private func total(
    _ harness: ConsumerHarness, _ name: String, _ labels: [(String, String)] = []
  ) throws -> Int64 {
    let labels = [("queue", ConsumerHarness.queue)] + labels
    return try harness.metrics.expectCounter("kiosk_" + name, labels).totalValue
  }

  @Test(.redisServer) func `jobs are counted by how they end and why they come back`()
    async throws
  {
    let harness = try ConsumerHarness()
    try await harness.withService(ObedientConsumer.self) { service in
      for reason in ["shutdown", "retry", "reaped", "startup", "limbo"] {
        #expect(try total(harness, "jobs_requeued_total", [("reason", reason)]) == 0)
      }
      for outcome in ["done", "failed", "canceled", "invalid"] {
        #expect(try total(harness, "jobs_finished_total", [("outcome", outcome)]) == 0)
      }
      for name in ["good", "bad", "flaky"] {
        _ = try await harness.end(of: harness.submit(name: name))
      }
    }
    #expect(try total(harness, "jobs_claimed_total") == 4)
    #expect(try total(harness, "jobs_finished_total", [("outcome", "done")]) == 2)
    #expect(try total(harness, "jobs_finished_total", [("outcome", "failed")]) == 1)
    #expect(try total(harness, "jobs_requeued_total", [("reason", "retry")]) == 1)
    #expect(try total(harness, "errors_total", [("error_code", "invalid_input")]) == 1)
    #expect(try total(harness, "errors_total", [("error_code", "storage")]) == 1)
    #expect(try total(harness, "finishes_refused_total") == 0)

    let metrics = harness.metrics
    let queue = ("queue", ConsumerHarness.queue)
    func count(_ name: String, _ labels: [(String, String)] = []) throws -> Int {
      try metrics.expectTimer("kiosk_" + name, [queue] + labels).values.count
    }
    #expect(try count("job_duration_seconds", [("outcome", "done")]) == 2)
    #expect(try count("job_duration_seconds", [("outcome", "failed")]) == 1)
    #expect(try count("job_stage_duration_seconds", [("stage", "postprocess")]) == 2)
    #expect(try count("job_queue_wait_seconds") == 4)
    #expect(try count("claim_duration_seconds") > 0)
    #expect(try metrics.expectGauge("kiosk_jobs_in_progress", [queue]).lastValue == 0)
    #expect(try metrics.expectGauge("kiosk_draining").lastValue == 1)
    let beat = try metrics.expectGauge("kiosk_heartbeat_timestamp_seconds").lastValue
    #expect(try #require(beat) > 1e9)
  }

  @Test(.redisServer) func `lost, recovered, cancelled and stopped jobs are counted`()
    async throws
  {
    let harness = try ConsumerHarness()
    let queue = harness.context.queue
    let left = try await harness.submit()
    _ = try await queue.claim(upTo: 1)
    await GatedConsumer.release(left)
    try await harness.withService(GatedConsumer.self, slots: 3) { service in
      #expect(try await harness.end(of: left)["status"] == "done")
      #expect(try total(harness, "jobs_requeued_total", [("reason", "startup")]) == 1)

      let canceled = try await harness.submit()
      let lost = try await harness.submit()
      let stopped = try await harness.submit()
      for key in [canceled, lost, stopped] {
        try await eventually("\(key) is in work") { await GatedConsumer.runs(of: key) == 1 }
      }
      #expect(try await queue.cancel(canceled) == .running)
      #expect(try await harness.end(of: canceled)["error_code"] == "canceled")
      try await harness.redis.command(
        "HSET", Keys.control(of: lost), "owner", "another", "worker", "pod-9")
      try await eventually("the loss was noticed") { try total(harness, "leases_lost_total") == 1 }
      service.stop()
    }
    #expect(try total(harness, "jobs_finished_total", [("outcome", "canceled")]) == 1)
    #expect(try total(harness, "errors_total", [("error_code", "canceled")]) == 1)
    #expect(try total(harness, "jobs_requeued_total", [("reason", "shutdown")]) == 1)
  }

  @Test(.redisServer) func `a result that comes too late is counted as refused`() async throws {
    let harness = try ConsumerHarness(
      delivery: DeliverySettings(heartbeatInterval: .seconds(3600)))
    let key = try await harness.submit()
    try await harness.withService(GatedConsumer.self) { service in
      try await eventually("the job is in work") { await GatedConsumer.runs(of: key) == 1 }
      try await harness.redis.command(
        "HSET", Keys.control(of: key), "owner", "another", "worker", "pod-9")
      await GatedConsumer.release(key)
      try await eventually("the result was refused") {
        try total(harness, "finishes_refused_total") == 1
      }
      service.stop()
    }
    #expect(try await harness.fields(key)["status"] == "started")
  }
}
