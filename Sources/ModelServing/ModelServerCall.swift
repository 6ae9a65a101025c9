import Arrays
import CModelServer
import Serving

/// A call a model server was asked to answer.
public struct ModelServerCall: Sendable {
  public enum Request: Sendable {
    case predict(PredictCall)
    /// For the signature `serving_default`.
    case metadata(ModelSelection)
    case status(ModelSelection)
    /// Of a service by its full name; empty means the whole server.
    case health(service: String)
    /// A method none of the above.
    case other
  }

  /// `/package.Service/Method`.
  public let method: String
  public let request: Request
  /// The request's bytes.
  public var message: [UInt8] { wire.bytes }
  /// The call's metadata such as `traceparent`, keys in lower case.
  public let headers: [String: String]
  /// Until the caller gives up.
  public let timeLeft: Duration

  let wire: WireMessage
}

/// The model a request is for.
public struct ModelSelection: Hashable, Sendable, CustomStringConvertible {
  public let name: String
  /// Nil: the newest.
  public let version: Int?

  public init(name: String, version: Int?) {
    self.name = name
    self.version = version
  }

  public var description: String { version.map { "\(name):\($0)" } ?? name }
}

/// A Predict request.
public struct PredictCall: Sendable {
  public let model: ModelSelection
  /// Empty: `serving_default`.
  public let signature: String
  public let inputs: [String: AnyNDArray]
  /// Wanted outputs; empty means all.
  public let outputFilter: [String]
}

/// What to answer.
public enum ModelServerReply: Sendable {
  /// How a tensor's values travel.
  public enum Encoding: Sendable {
    /// In `float_val` and its like, as TensorFlow Serving does by default.
    case typed
    case tensorContent
  }

  /// To Predict: the outputs and the version that made them.
  case outputs([String: AnyNDArray], model: ModelSelection, encoding: Encoding)
  case metadata(ModelMetadata, model: ModelSelection)
  case status([ModelVersionStatus])
  case health(isServing: Bool)
  /// These bytes as the message, whatever they mean; for recorded replies and for tests.
  case bytes([UInt8])
  /// A status instead of a message. `OK` ends the call well without one, as no real server does.
  case failure(StatusCode, String)
}
