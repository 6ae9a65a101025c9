import Logging
import Synchronization

/// Whether results are made public, and whether the bucket has refused that.
final class PublicAccess: Sendable {
  private let policy: GoogleSettings.PublicACL
  private let bucket: String
  private let logger: Logger
  private let isRefused = Atomic(false)

  init(_ policy: GoogleSettings.PublicACL, bucket: String, logger: Logger) {
    self.policy = policy
    self.bucket = bucket
    self.logger = logger
  }

  /// Whether an upload is to have a public ACL.
  func isWanted(for visibility: UploadDestination.Visibility) -> Bool {
    visibility == .result && policy != .never && !isRefused.load(ordering: .relaxed)
  }

  /// Whether an upload with a public ACL that failed is to be repeated without.
  func mayBeLeftOut(_ error: BucketError) -> Bool {
    guard policy == .auto, error.code != .checksum else { return false }
    return switch error.answer?.status {
    case 400, 412: true
    case 403: GoogleErrorText.isAboutPublicAccess(error.reason)
    default: false
    }
  }

  /// Notes that an upload went well once it had no public ACL.
  func wasLeftOut() {
    guard !isRefused.exchange(true, ordering: .relaxed) else { return }
    logger.warning(
      """
      the bucket refuses public ACLs; results are stored without. Give roles/storage.objectViewer \
      on the bucket to allUsers, or set STORAGE_OUTPUT_URL=presigned or STORAGE_PUBLIC_ACL=never
      """, metadata: ["event": "storage_public_acl", "bucket": "\(bucket)"])
  }
}
