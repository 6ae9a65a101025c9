import Logging

/// Whether results are made public, and whether the bucket has refused that.
final class PublicAccess: Sendable {
  /// What to do about a bucket that refuses.
  static let advice =
    "give roles/storage.objectViewer on the bucket to allUsers, or set STORAGE_OUTPUT_URL=presigned "
    + "or STORAGE_PUBLIC_ACL=never"

  private let policy: GoogleSettings.PublicACL
  private let bucket: String
  private let logger: Logger
  private let refusal = OnceFlag()

  init(_ policy: GoogleSettings.PublicACL, bucket: String, logger: Logger) {
    self.policy = policy
    self.bucket = bucket
    self.logger = logger
  }

  /// Whether an upload is to have a public ACL.
  func isWanted(for visibility: UploadDestination.Visibility) -> Bool {
    visibility == .result && policy != .never && !isRefused
  }

  /// Whether an upload that the bucket refuses for its public ACL is to be repeated without.
  var mayBeLeftOut: Bool { policy == .auto }

  /// Whether the bucket has refused.
  var isRefused: Bool { refusal.isRaised }

  /// Notes that an upload went well once it had no public ACL.
  func wasLeftOut() {
    guard refusal.raise() else { return }
    logger.warning(
      "the bucket refuses public ACLs; results are stored without: \(Self.advice)",
      metadata: ["event": "storage_public_acl", "bucket": "\(bucket)"])
  }
}
