import Arrays
import Consumers
import JobQueue
import TestSupport
import Testing

@testable import Serving

/// A model server that is away, and the jobs behind those that wait for it.
@Suite struct ModelBreakerTests {
  /// Models that answer once the server has them.
  private struct ModelsThatCome: PredictBackend {
    let missing: Watched<Set<String>>

    func metadata(of model: ModelName, context: CallContext) async throws -> ModelMetadata {
      ModelMetadata(inputs: [:])
    }

    func predict(
      model: ModelName, inputs: [String: AnyNDArray], outputs: OutputSelection,
      context: CallContext
    ) async throws -> [String: AnyNDArray] {
      while await missing.value.contains(model.name) {
        let error = ServingError(code: .unavailable, operation: .predict, message: "refused")
        await context.onPause(ServingPause(error: error, delay: .zero, elapsed: .zero))
        try await Task.sleep(for: .milliseconds(5))
      }
      context.onAnswer()
      return [:]
    }
  }

  private final class CallingConsumer: TensorFlowServingConsumer {
    override func consume(_ job: Job) async throws -> JobStatus {
      let client = try getPredictClient("\(job.originalName):1")
      _ = try await client.predict([String: NDArray<Float>]())
      return .done
    }
  }

  @Test(.redisServer) func `while the model server is away no more jobs are taken`() async throws {
    let missing = Watched<Set<String>>(["Nuclei"])
    let harness = try ConsumerHarness(models: ModelsThatCome(missing: missing))
    let first = try await harness.submit(name: "Nuclei")
    var keys = [first]
    try await harness.withService(CallingConsumer.self, slots: 4) { _ in
      try await eventually("the first job waits") {
        try await harness.fields(first)["last_error"]?.hasPrefix("predict_unavailable") == true
      }
      for _ in 0..<7 { keys.append(try await harness.submit(name: "Nuclei")) }
      // Long enough for a service that would take them.
      try await Task.sleep(for: .milliseconds(300))
      #expect(try await harness.list("predict").count == 7)
      #expect(try await harness.list(harness.processing) == [first])

      await missing.update { $0 = [] }
      for key in keys { #expect(try await harness.end(of: key)["status"] == "done") }
    }
  }

  @Test(.redisServer) func `a model that never comes keeps only its own jobs waiting`()
    async throws
  {
    let missing = Watched<Set<String>>(["Unknown"])
    let harness = try ConsumerHarness(models: ModelsThatCome(missing: missing))
    let stuck = try await harness.submit(name: "Unknown")
    let options = ServiceOptions(probeInterval: .milliseconds(500))
    try await harness.withService(CallingConsumer.self, slots: 2, options: options) { service in
      try await eventually("the first job waits") {
        try await harness.fields(stuck)["last_error"]?.hasPrefix("predict_unavailable") == true
      }
      var keys: [String] = []
      for _ in 0..<10 { keys.append(try await harness.submit(name: "Nuclei")) }
      for key in keys { #expect(try await harness.end(of: key)["status"] == "done") }
      #expect(try await harness.list(harness.processing) == [stuck])
      service.stop()
    }
    #expect(try await harness.list("predict") == [stuck])
  }

  @Test(.redisServer) func `the end of a job that waited lets the next one be taken`()
    async throws
  {
    let missing = Watched<Set<String>>(["Unknown"])
    let harness = try ConsumerHarness(models: ModelsThatCome(missing: missing))
    let stuck = try await harness.submit(name: "Unknown")
    try await harness.withService(CallingConsumer.self, slots: 2) { _ in
      try await eventually("the first job waits") {
        try await harness.fields(stuck)["last_error"]?.hasPrefix("predict_unavailable") == true
      }
      let next = try await harness.submit(name: "Nuclei")
      let tool = JobQueue(name: ConsumerHarness.queue, worker: "tool", redis: harness.redis)
      #expect(try await tool.cancel(stuck) == .running)
      #expect(try await harness.end(of: next)["status"] == "done")
      #expect(try await harness.end(of: stuck)["error_code"] == "canceled")
    }
  }
}
