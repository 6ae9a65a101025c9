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
    case .unavailable: "it may still be starting; check TF_HOST and TF_PORT"
    case .deadlineExceeded: "it is too slow or too busy; raise GRPC_TIMEOUT"
    case .resourceExhausted: "try again later, or lower TF_MAX_IN_FLIGHT"
    case .notFound:
      model == nil ? nil : "check the model's name and version, and that the server has loaded it"
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
    var text = "\(summary) (\(operation)"
    if let model, !isModelUnknown { text += " with \(model.name) version \(model.version)" }
    if let server { text += " on \(server)" }
    if tries > 1 { text += ", \(tries) tries in \(elapsed.roundedSeconds) s" }
    text += ": \(code)"
    if !message.isEmpty { text += ", \(message.prefix(300))" }
    text += ")"
    if let hint { text += "; \(hint)" }
    return text
  }

  /// What happened, for people who have never heard of gRPC.
  private var summary: String {
    if let model, isModelUnknown {
      return "the model server does not have the model \(model.name) version \(model.version)"
    }
    return switch code {
    case .unavailable: "the model server cannot be reached"
    case .deadlineExceeded: "the model server did not answer in time"
    case .resourceExhausted: "the model server is overloaded"
    case .invalidArgument: "the model server and this request do not fit"
    default: "the model server gave no usable answer"
    }
  }

  private var isModelUnknown: Bool {
    code == .notFound && (operation == .metadata || operation == .status)
  }
}

extension Duration {
  /// Seconds with one decimal, for messages.
  var roundedSeconds: Double { (self / .milliseconds(100)).rounded() / 10 }
}
