import Retrying

/// A failed call to a model server, or a message that could not be made or read.
public struct ServingError: RetryableError {
  public enum Operation: String, Sendable {
    case connect, predict, metadata, status, health
    /// Reading the name of a model.
    case model
  }

  public let code: StatusCode
  public let operation: Operation
  public var model: ModelName?
  /// The server's own words, or ours when no server was asked.
  public let message: String
  /// The server as configured, `host:port`.
  public var server: String?
  /// How often the call was sent.
  public var tries: Int
  /// From the first try to the failure.
  public var elapsed: Duration

  public init(
    code: StatusCode, operation: Operation, model: ModelName? = nil, message: String,
    server: String? = nil, tries: Int = 0, elapsed: Duration = .zero
  ) {
    self.code = code
    self.operation = operation
    self.model = model
    self.message = message
    self.server = server
    self.tries = tries
    self.elapsed = elapsed
  }

  /// Whether the same call may succeed later without anything being changed.
  public var isRetryable: Bool {
    code == .unavailable || code == .deadlineExceeded || code == .resourceExhausted
  }

  /// What to do about it, when that is known.
  public var hint: String? {
    switch code {
    case .unavailable: "the model server may still be starting; check TF_HOST and TF_PORT"
    case .deadlineExceeded: "the model server is too slow or too busy; raise GRPC_TIMEOUT"
    case .resourceExhausted: "the model server is overloaded; lower TF_MAX_IN_FLIGHT"
    case .notFound: model.map { "check that the server has version \($0.version) of \($0.name)" }
    case .unimplemented: "what answers there is not TensorFlow Serving; check TF_HOST and TF_PORT"
    default: nil
    }
  }

  /// The error code of jobs and metrics for this failure.
  public var jobErrorCode: String {
    switch code {
    case .unavailable: "predict_unavailable"
    case .deadlineExceeded: "predict_deadline"
    case .resourceExhausted: "predict_exhausted"
    case .notFound: "unsupported_model"
    default: "predict_invalid"
    }
  }
}

extension ServingError: CustomStringConvertible {
  public var description: String {
    if operation == .model { return message }
    var text = operation.rawValue
    if let model { text += " with model \(model.name) version \(model.version)" }
    if let server { text += " on \(server)" }
    text += " failed"
    if tries > 1 { text += " after \(tries) tries in \(elapsed.roundedSeconds) s" }
    text += ": \(code)"
    if !message.isEmpty { text += ", \(message)" }
    if let hint { text += "; \(hint)" }
    return text
  }
}

extension Duration {
  /// Seconds with one decimal, for messages.
  var roundedSeconds: Double { (self / .milliseconds(100)).rounded() / 10 }
}
