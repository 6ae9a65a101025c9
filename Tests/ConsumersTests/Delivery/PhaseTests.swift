import Arrays
import Consumers
import Foundation
import ImageAlgorithms
import JobQueue
import ModelServing
import Serving
import TestSupport
import Testing

/// Stopping a job, whatever it is at.
@Suite struct PhaseTests {
  enum Phase: String, CaseIterable, Sendable { case download, predict, postprocess, upload }
  enum Stop: CaseIterable { case cancellation, timeout }

  /// Goes through all phases, and says when it has come to the one that does not end.
  private final class PhaseConsumer: TensorFlowServingConsumer {
    private static let side = 128

    override func consume(_ job: Job) async throws -> JobStatus {
      let phase = Phase(rawValue: job["phase"] ?? "")
      if phase == .download { try await tell(job) }
      let file = try await download(job.inputFileName)
      if phase == .predict {
        try await tell(job)
        let image = NDArray<Float>(shape: [1, 8, 8, 1])
        _ = try await getPredictClient("Held:1").predict(["image": image])
      }
      if phase == .postprocess {
        try await tell(job)
        try stage(.postprocess) { try labelForEver() }
      }
      if phase == .upload { try await tell(job) }
      _ = try await upload(zip([file]))
      return .done
    }

    /// A saturated map, the hardest for a watershed, again and again.
    private func labelForEver() throws {
      let map = NDArray(
        shape: [1, Self.side, Self.side, 1],
        elements: [Float](repeating: 1, count: Self.side * Self.side))
      while true {
        _ = try deepWatershed(
          maxima: map, interior: map, parameters: DeepWatershedParameters())
      }
    }

    private func tell(_ job: Job) async throws {
      try await updateKey(job, ["at": "it", Field.status: JobStatus.predicting.rawValue])
    }
  }

  @Test(.redisServer, arguments: Phase.allCases, Stop.allCases)
  func `a job is stopped in every phase and the next one runs`(
    phase: Phase, stop: Stop
  ) async throws {
    let never = Watched(false)
    let models = try ModelServerHost { _ in
      // Ends early when the caller goes away.
      _ = try? await never.wait { $0 }
      return .failure(.unavailable, "the test is over")
    }
    var serving = ServingConfiguration()
    serving.host = "127.0.0.1"
    serving.port = models.port
    // Only the message of the cancellation can stop the job: heartbeats come too late.
    let harness = try ConsumerHarness(
      models: ServingClient(serving, logger: .init(label: "predict")),
      delivery: DeliverySettings(heartbeatInterval: .seconds(3600)))
    let bucket = SlowBucket(
      base: harness.context.bucket, slowsDownloads: phase == .download,
      slowsUploads: phase == .upload)

    try await harness.withService(PhaseConsumer.self, bucket: bucket) { _ in
      try await eventually("cancellations are heard") {
        let heard = try await harness.redis.command(
          "PUBSUB", "NUMSUB", Keys.cancellations(in: ConsumerHarness.queue))
        return heard.array?.last == 1
      }
      let key = try await harness.submit(
        Data("x".utf8), fields: ["phase": phase.rawValue],
        DeliveryOptions(timeout: stop == .timeout ? .seconds(1) : nil))
      try await eventually("the job is at it") {
        try await harness.fields(key)["at"] == "it"
      }
      let tool = JobQueue(name: ConsumerHarness.queue, worker: "tool", redis: harness.redis)
      if stop == .cancellation { #expect(try await tool.cancel(key) == .running) }

      let fields = try await harness.end(of: key)
      #expect(fields["status"] == "failed")
      #expect(fields["error_code"] == (stop == .cancellation ? "canceled" : "timeout"))
      let isDead = try await tool.deadLetters(upTo: 9) == [key]
      #expect(isDead == (stop == .timeout))

      await bucket.isReleased.update { $0 = true }
      let next = try await harness.submit(Data("x".utf8))
      #expect(try await harness.end(of: next)["status"] == "done")
    }
    #expect(try await harness.list(harness.processing).isEmpty)
    #expect(try harness.leftovers.isEmpty)
    await models.stop(grace: .zero)
  }
}
