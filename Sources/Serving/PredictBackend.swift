import Arrays

/// A server of models. Behind it is TensorFlow Serving; other protocols may follow.
public protocol PredictBackend: Sendable {
  /// What a model takes and gives.
  ///
  /// - Throws: ``ServingError``; `NOT_FOUND` for an unknown model or version.
  func metadata(of model: ModelName, context: CallContext) async throws -> ModelMetadata

  /// Runs a model on a batch.
  ///
  /// - Parameters:
  ///   - inputs: by name; `[batch, ...]` each. A batch that is too large for the server or for one
  ///     message is split along the first axis and put together again.
  ///   - outputs: those to return; others are not transferred or at least not copied.
  /// - Returns: outputs by name.
  /// - Throws: ``ServingError``, or `CancellationError`.
  func predict(
    model: ModelName, inputs: [String: AnyNDArray], outputs: OutputSelection, context: CallContext
  ) async throws -> [String: AnyNDArray]
}

extension PredictBackend {
  public func metadata(of model: ModelName) async throws -> ModelMetadata {
    try await metadata(of: model, context: CallContext())
  }

  public func predict(
    model: ModelName, inputs: [String: AnyNDArray], outputs: OutputSelection = .all
  ) async throws -> [String: AnyNDArray] {
    try await predict(model: model, inputs: inputs, outputs: outputs, context: CallContext())
  }
}

/// Which outputs of a model are wanted.
public enum OutputSelection: Hashable, Sendable {
  case all
  case named(Set<String>)
  /// The first and the last by name: all that the segmentation models' consumers look at.
  case firstAndLast

  /// Those of `names` that are wanted, sorted.
  func select(from names: some Collection<String>) -> [String] {
    let sorted = names.sorted()
    switch self {
    case .all: return sorted
    case .named(let wanted): return sorted.filter(wanted.contains)
    case .firstAndLast: return sorted.count <= 2 ? sorted : [sorted[0], sorted[sorted.count - 1]]
    }
  }
}

/// What goes along with a call.
public struct CallContext: Sendable {
  /// Metadata sent to the server, such as `traceparent`; what HTTP/2 does not allow is left out.
  public var headers: [String: String]
  /// Told before each pause while the server is away or overloaded, so that a job can be kept alive
  /// and its client be told why it waits.
  public var onPause: @Sendable (ServingPause) async -> Void
  /// Told of each answer, of which a batch in parts has several.
  public var onAnswer: @Sendable () -> Void

  public init(
    headers: [String: String] = [:],
    onAnswer: @escaping @Sendable () -> Void = {},
    onPause: @escaping @Sendable (ServingPause) async -> Void = { _ in }
  ) {
    self.headers = headers
    self.onPause = onPause
    self.onAnswer = onAnswer
  }
}

/// A pause before a call is sent again.
public struct ServingPause: Sendable, CustomStringConvertible {
  public let error: ServingError
  /// How long until the next try.
  public let delay: Duration
  /// Since the first failure of this kind.
  public let elapsed: Duration

  /// Whether the server is away, which costs no retry, rather than overloaded.
  public var isServerAway: Bool { error.code == .unavailable }

  public var description: String {
    isServerAway
      ? "model server starting, waited \(elapsed.roundedSeconds) s"
      : "model server busy (\(error.code)), next try in \(delay.roundedSeconds) s"
  }
}
