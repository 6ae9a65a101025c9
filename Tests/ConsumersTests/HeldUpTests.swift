import Arrays
import Consumers
import JobQueue
import TestSupport
import Testing

@testable import Serving

@Suite struct HeldUpTests {
  /// A model server that is away, comes back, and is then too slow.
  private struct SlowToStart: PredictBackend {
    func metadata(of model: ModelName, context: CallContext) async throws -> ModelMetadata {
      var error = ServingError(code: .unavailable, operation: .metadata, message: "refused")
      await context.onPause(ServingPause(error: error, delay: .zero, elapsed: .seconds(12)))
      error = ServingError(code: .deadlineExceeded, operation: .metadata, message: "too slow")
      await context.onPause(ServingPause(error: error, delay: .zero, elapsed: .zero))
      throw error
    }

    func predict(
      model: ModelName, inputs: [String: AnyNDArray], outputs: OutputSelection,
      context: CallContext
    ) async throws -> [String: AnyNDArray] { [:] }
  }

  private final class AskingConsumer: TensorFlowServingConsumer {
    override func consume(_ job: Job) async throws -> JobStatus {
      _ = try await getPredictClient("Nuclei:1").metadata()
      return .done
    }
  }

  @Test(.redisServer) func `a job does not wait for a server that was away before it was slow`()
    async throws
  {
    let harness = try ConsumerHarness(models: SlowToStart())
    let key = try await harness.submit()
    try await harness.withService(AskingConsumer.self) { _ in
      let fields = try await harness.end(of: key)
      #expect(fields["error_code"] == "predict_deadline")
      #expect(fields["last_error"] == "", "\(fields)")
      // A call to a server that is away is no retry.
      #expect(fields["predict_retries"] == "1")
    }
  }
}
