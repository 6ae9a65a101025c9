import Arrays
import Consumers
import JobQueue
import TestSupport
import Testing

@testable import Serving

@Suite struct ParentRetriesTests {
  /// Answers after one retry.
  private struct BusyModels: PredictBackend {
    func metadata(of model: ModelName, context: CallContext) async throws -> ModelMetadata {
      ModelMetadata(inputs: [:])
    }

    func predict(
      model: ModelName, inputs: [String: AnyNDArray], outputs: OutputSelection,
      context: CallContext
    ) async throws -> [String: AnyNDArray] {
      let error = ServingError(code: .resourceExhausted, operation: .predict, message: "busy")
      await context.onPause(ServingPause(error: error, delay: .zero, elapsed: .zero))
      return [:]
    }
  }

  /// Calls a model before and after it waits for another job.
  private final class TwoPartConsumer: TensorFlowServingConsumer {
    override func consume(_ job: Job) async throws -> JobStatus {
      _ = try await getPredictClient("Nuclei:1").predict([String: NDArray<Float>]())
      if run.isResumed { return .done }
      return try park([
        JobSubmission(queue: "parts", originalName: "part", inputFileName: "uploads/part")
      ])
    }
  }

  @Test(.redisServer) func `a parent's retries before and after it waited are added up`()
    async throws
  {
    let harness = try ConsumerHarness(models: BusyModels())
    let key = try await harness.submit()
    try await harness.withService(TwoPartConsumer.self) { _ in
      try await eventually("the parent waits") {
        try await harness.fields(key)["status"] == "waiting"
      }
      #expect(try await harness.fields(key)["predict_retries"] == "1")
      let parts = JobQueue(name: "parts", worker: "pod-2", redis: harness.redis)
      let part = try #require(try await parts.claim(upTo: 1).jobs.first)
      _ = try await parts.finish(part, .done)
      #expect(try await harness.end(of: key)["predict_retries"] == "2")
    }
  }
}
