/// What is known of a bucket of Google Cloud Storage before the first request.
public struct GoogleSettings: Sendable {
  /// Whether results are made readable by everyone (`STORAGE_PUBLIC_ACL`).
  public enum PublicACL: String, Sendable, CaseIterable {
    /// Where the bucket allows it.
    case auto
    /// A bucket that does not is an error.
    case always
    case never
  }

  public var bucket: String
  /// `host:port` or base URL of an emulator, which is asked without credentials
  /// (`STORAGE_EMULATOR_HOST`).
  public var emulator: String?
  public var credentials = GoogleCredentialSettings()
  /// Whom requests are charged to (`GOOGLE_CLOUD_QUOTA_PROJECT`).
  public var quotaProject: String?
  public var publicACL = PublicACL.auto
  public var urls = ResultURLs()
  public var transfers = TransferSettings()
  /// Bytes up to which a file is sent with one request.
  var singleRequestLimit = 8 << 20

  public init(bucket: String) { self.bucket = bucket }
}
