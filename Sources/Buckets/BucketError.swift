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

  public init(_ code: Code, key: String? = nil, _ reason: String, isRetryable: Bool = false) {
    self.code = code
    self.key = key
    self.reason = reason
    self.isRetryable = isRetryable
  }

  public var description: String { reason }
}
