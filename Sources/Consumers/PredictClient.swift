import Arrays
import Serving

/// One model, as one job calls it.
public struct PredictClient: Sendable {
  public let model: ModelName
  private let backend: any PredictBackend
  private let run: JobRun

  init(model: ModelName, backend: any PredictBackend, run: JobRun) {
    self.model = model
    self.backend = backend
    self.run = run
  }

  /// An input of the model.
  public struct Input: Sendable {
    public let name: String
    /// `[batch, ...]`, -1 where any extent will do; nil where the model does not say.
    public let shape: Shape?
  }

  /// What the model takes and gives.
  ///
  /// - Throws: ``ServingError``, `NOT_FOUND` for an unknown model or version.
  public func metadata() async throws -> ModelMetadata {
    let metadata = try await backend.metadata(of: model, context: callContext)
    run.setHeldUp(by: nil)
    return metadata
  }

  /// The input of a model that has only one.
  public func singleInput() async throws -> Input {
    let inputs = try await metadata().inputs
    guard inputs.count == 1, let input = inputs.first else {
      throw JobError(
        .unsupportedModel,
        "the model \(model) takes \(inputs.count) inputs "
          + "(\(inputs.keys.sorted().joined(separator: ", "))) where one is expected")
    }
    return Input(name: input.key, shape: input.value.shape)
  }

  /// Runs the model.
  ///
  /// - Parameter inputs: by name, `[batch, ...]` each.
  /// - Returns: outputs by name.
  public func predict(
    _ inputs: [String: NDArray<Float>], outputs: OutputSelection = .all
  ) async throws -> [String: AnyNDArray] {
    let answer = try await backend.predict(
      model: model, inputs: inputs.mapValues(AnyNDArray.init), outputs: outputs,
      context: callContext)
    run.setHeldUp(by: nil)
    return answer
  }

  /// Keeps what the owner of a waiting job sees up to date.
  private var callContext: CallContext {
    CallContext(onPause: { [run] pause in
      if pause.isServerAway {
        run.setHeldUp(by: JobError(.predictUnavailable, "\(pause)"))
      } else {
        run.addPredictRetries(1)
      }
      run.logger.debug("waiting for the model server", metadata: ["error": "\(pause)"])
    })
  }
}
