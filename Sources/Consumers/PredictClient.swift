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

    /// Whether values between whole numbers can be sent.
    var takesPixels: Bool { array(NDArray(shape: [0])) != nil }

    /// Numbers in the type that the model takes; nil when that has none between whole numbers.
    ///
    /// - Source: kiosk-redis-consumer truncates what it sends to half-precision inputs, which leaves
    ///   nothing of 0...1; here it is rounded.
    func array(_ numbers: NDArray<Float>) -> AnyNDArray? {
      switch type.dtype {
      case .float32: AnyNDArray(numbers)
      case .float16: AnyNDArray(numbers.map { Float16($0) })
      case .float64: AnyNDArray(numbers.map { Double($0) })
      // Metadata from a shared cache may leave the type out.
      case nil where type.rawValue == 0: AnyNDArray(numbers)
      default: nil
      }
    }
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

  /// The input of a model that takes images.
  ///
  /// - Parameter channelCount: how many channels it has to take; nil: any number.
  /// - Returns: the input, and its shape `[batch, row, column, channel]`.
  /// - Throws: ``JobError`` `unsupportedModel` when this one takes something else.
  func imageInput(channelCount: Int? = nil) async throws -> (input: Input, shape: Shape) {
    let input = try await singleInput()
    func unsupported(_ what: String) -> JobError {
      JobError(.unsupportedModel, "the model \(model) takes \(what); choose another model")
    }
    guard input.takesPixels else {
      throw unsupported("inputs of type \(input.type), not pixels (DT_FLOAT)")
    }
    guard let shape = input.shape, shape.count == 4 else {
      throw unsupported(
        "an input of shape \(input.shape?.tupleDescription ?? "unknown"), not images with the axes "
          + "(batch, row, column, channel)")
    }
    if let channelCount, shape[3] >= 0, shape[3] != channelCount {
      let selected = channelCount == 1 ? "one channel is" : "\(channelCount) channels are"
      throw unsupported("\(shape[3])-channel images, but \(selected) selected for it")
    }
    let (pixels, overflow) = max(shape[1], 1).multipliedReportingOverflow(by: max(shape[2], 1))
    guard !overflow, pixels <= Self.maximumPixels else {
      throw unsupported("images of \(shape[1]) x \(shape[2]) pixels, more than can be processed")
    }
    return (input, shape)
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
    try await predict(inputs.mapValues(AnyNDArray.init), outputs: outputs)
  }

  /// Runs a model that has one input, which is sent in the type that the model takes.
  ///
  /// - Parameter images: `[batch, ...]`.
  /// - Returns: outputs by name.
  /// - Throws: ``JobError`` `unsupportedModel` when the model takes anything but floating-point
  ///   numbers.
  public func predict(
    _ images: NDArray<Float>, as input: Input, outputs: OutputSelection = .all
  ) async throws -> [String: AnyNDArray] {
    guard let array = input.array(images) else {
      throw JobError(
        .unsupportedModel,
        "the model \(model) takes inputs of type \(input.type), not floating-point numbers; choose "
          + "another model")
    }
    return try await predict([input.name: array], outputs: outputs)
  }

  /// Runs the model.
  ///
  /// - Parameter inputs: by name, `[batch, ...]` each.
  /// - Returns: outputs by name.
  public func predict(
    _ inputs: [String: AnyNDArray], outputs: OutputSelection = .all
  ) async throws -> [String: AnyNDArray] {
    let answer = try await backend.predict(
      model: model, inputs: inputs, outputs: outputs, context: callContext)
    run.modelAnswered()
    return answer
  }

  /// Keeps what the owner of a waiting job sees up to date.
  private var callContext: CallContext {
    CallContext(
      onAnswer: { [run] in run.beat() },
      onPause: { [run] pause in
        if pause.isServerAway {
          run.setHeldUp(by: JobError(.predictUnavailable, "\(pause)"))
        } else {
          // Not away any more, but busy or slow.
          run.setHeldUp(by: nil)
          run.addPredictRetries(1)
        }
        run.logger.debug("waiting for the model server", metadata: ["error": "\(pause)"])
      })
  }
}
