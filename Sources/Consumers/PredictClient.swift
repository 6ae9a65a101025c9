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
    public let type: TensorType
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
          + "(\(inputs.keys.sorted().prefix(5).joined(separator: ", "))) where one is expected; "
          + "choose another model")
    }
    return Input(name: input.key, shape: input.value.shape, type: input.value.type)
  }

  /// The input of a model that takes images of one channel.
  ///
  /// - Throws: ``JobError`` `unsupportedModel` when this one takes something else.
  func imageInput() async throws -> (name: String, shape: Shape) {
    let input = try await singleInput()
    func unsupported(_ what: String) -> JobError {
      JobError(.unsupportedModel, "the model \(model) takes \(what); choose another model")
    }
    // Metadata from a shared cache may leave the type out.
    guard input.type == TensorType(.float32) || input.type.rawValue == 0 else {
      throw unsupported("inputs of type \(input.type), not pixels (DT_FLOAT)")
    }
    guard let shape = input.shape, shape.count == 4 else {
      throw unsupported(
        "an input of shape \(input.shape?.tupleDescription ?? "unknown"), not images with the axes "
          + "(batch, row, column, channel)")
    }
    guard shape[3] == 1 || shape[3] < 0 else {
      throw unsupported("images of \(shape[3]) channels, but one channel is selected for it")
    }
    let (pixels, overflow) = max(shape[1], 1).multipliedReportingOverflow(by: max(shape[2], 1))
    guard !overflow, pixels <= Self.maximumPixels else {
      throw unsupported("images of \(shape[1]) x \(shape[2]) pixels, more than can be processed")
    }
    return (input.name, shape)
  }

  /// Of an image sent to a model: a tile is padded to the model's size, whatever that is.
  private static let maximumPixels = 1 << 26

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
