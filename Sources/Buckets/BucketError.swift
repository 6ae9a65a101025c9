import Redaction

/// A failed operation on a bucket.
public struct BucketError: Error, CustomStringConvertible {
  public enum Code: String, Sendable {
    case notFound, accessDenied, credentials, invalidRequest, tooLarge, checksum, throttled
    case server, network, timeout, cancelled
    /// The disk of a folder that is the bucket.
    case localDisk
    /// Where downloads go.
    case temporaryFolder
  }

  public let code: Code
  /// The object, or the key as it was asked for.
  public let key: String?
  /// What is wrong and what to do, without secrets and without local paths outside the bucket.
  public let reason: String
  /// Whether the same request may work later.
  public let isRetryable: Bool
  /// Who refused and how, where a server was asked.
  public internal(set) var answer: ServerAnswer?
  /// How often it was tried.
  public internal(set) var tries = 1
  /// How long that took, with the pauses.
  public internal(set) var elapsed: Duration = .zero

  /// What a store said, as its operators need it to find the request in their logs.
  public struct ServerAnswer: Sendable, Hashable {
    /// Nil when there was no response.
    public var status: Int?
    /// The store's own name of the error, such as `NoSuchKey`.
    public var serviceCode: String?
    /// `x-amz-request-id` or `x-guploader-uploadid`.
    public var requestID: String?
    /// Scheme, host and port.
    public var server: String?

    public init(
      status: Int? = nil, serviceCode: String? = nil, requestID: String? = nil,
      server: String? = nil
    ) {
      self.status = status
      self.serviceCode = serviceCode
      self.requestID = requestID
      self.server = server
    }
  }

  public init(
    _ code: Code, key: String? = nil, _ reason: String, isRetryable: Bool = false,
    answer: ServerAnswer? = nil
  ) {
    self.code = code
    self.key = key?.redacted
    self.reason = reason.redacted
    self.isRetryable = isRetryable
    self.answer = answer
  }

  public var description: String {
    var details: [String] = []
    if let answer {
      let status = [answer.status.map { "HTTP \($0)" }, answer.serviceCode].compactMap(\.self)
      if !status.isEmpty { details.append(status.joined(separator: " ")) }
      if let server = answer.server, !reason.contains(server) {
        details.append("from \(server)")
      }
      if let id = answer.requestID { details.append("request \(id)") }
    }
    if tries > 1 { details.append("\(tries) tries in \(elapsed.components.seconds) s") }
    return details.isEmpty ? reason : "\(reason) (\(details.joined(separator: ", ")))"
  }
}

extension BucketError {
  /// Whether a setting, or what it names on this machine, is at fault: no server was asked.
  public var isOfSettings: Bool {
    answer == nil && !isRetryable && [.invalidRequest, .credentials].contains(code)
  }

  static func tooLarge(_ key: ObjectKey, limit: Int) -> BucketError {
    BucketError(
      .tooLarge, key: key.text,
      "\(key) is larger than \(limit >> 20) MiB, the limit of STORAGE_MAX_INPUT_MIB")
  }
}
