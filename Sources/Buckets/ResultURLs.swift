/// What clients get to open a stored object with.
public struct ResultURLs: Sendable, Hashable {
  public enum Form: String, Sendable {
    /// An address of the store, for objects that anyone may read.
    case `public`
    /// An address that opens without a credential, for a time.
    case presigned
    /// `s3://`, `gs://` or `file://`, for clients with a credential of their own.
    case uri
  }

  public var form: Form
  /// What `public` and `presigned` ones begin with in place of the store's address; no `/` at the end.
  public var baseURL: String?
  /// How long presigned ones open.
  public var lifetime: Duration

  public init(form: Form = .public, baseURL: String? = nil, lifetime: Duration = .seconds(86400)) {
    self.form = form
    self.baseURL = baseURL.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
    self.lifetime = lifetime
  }

  /// - Throws: ``BucketError`` `invalidRequest` when ``baseURL`` is none that keys can be put behind.
  func checkBase() throws(BucketError) {
    if let baseURL { _ = try S3Endpoint(baseURL, setting: "STORAGE_PUBLIC_BASE_URL") }
  }
}
