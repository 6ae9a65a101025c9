import Arrays
import Buckets
import ImageAlgorithms
import ImageFiles
import JobQueue
import Redaction
import RedisClient
import Serving

/// Why a job failed, in words its owner understands.
///
/// Thrown by consumers; errors of other modules are turned into one by ``init(_:)``.
public struct JobError: Error, CustomStringConvertible {
  /// What went wrong, for programs: the `error_code` of the job hash, and a label of metrics.
  public enum Code: String, Sendable, CaseIterable {
    case invalidInput = "invalid_input"
    case unsupportedModel = "unsupported_model"
    case storageNotFound = "storage_not_found"
    case storage
    case redis
    case predictUnavailable = "predict_unavailable"
    case predictDeadline = "predict_deadline"
    case predictExhausted = "predict_exhausted"
    case predictInvalid = "predict_invalid"
    case timeout
    case canceled
    case lostWorker = "lost_worker"
    case `internal`
  }

  public let code: Code
  /// A whole sentence that names what was wrong and what to do about it, without secrets.
  public let message: String

  /// Whether the job is tried again.
  public let failureClass: FailureClass

  /// - Parameter failureClass: nil for that of the code, see ``Code/failureClass``.
  public init(_ code: Code, _ message: String, _ failureClass: FailureClass? = nil) {
    self.code = code
    self.message = message.redacted
    self.failureClass = failureClass ?? code.failureClass
  }

  public var description: String { message }

  /// The `reason` of the job hash: one line, since web pages show the last one only, and not endless,
  /// whatever a file or a server made the message say.
  public var reason: String { "\(Self.typeName(of: code)): \(message.onOneLine(of: 700))" }

  /// `invalid_input` as `InvalidInput`, the form of the error types people know.
  private static func typeName(of code: Code) -> String {
    code.rawValue.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }
}

extension String {
  /// A value someone chose, to be quoted in a message.
  var forReason: String { onOneLine(of: 80) }

  /// Without line breaks and control characters, and without its middle when it is longer than
  /// `limit`.
  func onOneLine(of limit: Int) -> String {
    // No more than is shown: the text may be huge.
    let isLong = unicodeScalars.count > limit
    let parts =
      isLong
      ? [unicodeScalars.prefix(limit * 2 / 3), unicodeScalars.suffix(limit / 3)]
      : [unicodeScalars[...]]
    return parts.map { part in
      String(
        String.UnicodeScalarView(
          part.map { scalar -> Unicode.Scalar in
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: " "
            default: scalar
            }
          }))
    }.joined(separator: " … ")
  }
}
