import CurlClient
import Logging
import Retrying

/// Where Google credentials are looked for, in this order; see `docs/` of Google's Application Default
/// Credentials.
public struct GoogleCredentialSettings: Sendable {
  /// `GOOGLE_APPLICATION_CREDENTIALS`.
  public var file: String?
  /// Where `gcloud` keeps what a user has logged in with (`CLOUDSDK_CONFIG`, `~/.config/gcloud`).
  public var configurationFolder: String?
  /// `GCE_METADATA_HOST`.
  public var metadataHost: String?
  /// No credentials at all (`STORAGE_GCS_ANONYMOUS`).
  public var isAnonymous = false

  public init() {}
}

/// The credentials of a bucket.
struct GoogleCredentials: Sendable {
  /// Nil: requests show no credentials.
  let tokens: GoogleTokens?
  let signer: GoogleSigner?
  /// For the line at start.
  let source: String
  /// Whom requests are charged to, if the file says so.
  let quotaProject: String?

  /// Requests to an emulator show no credentials.
  static let none = GoogleCredentials(
    tokens: nil, signer: nil, source: "none", quotaProject: nil)

  /// Finds the first that is configured. One that is configured and broken is an error, so that nobody
  /// works under another identity than they think.
  ///
  /// - Parameters:
  ///   - server: for tokens; its client may use proxies.
  ///   - metadataServer: one whose client does not.
  /// - Throws: ``BucketError`` `credentials`.
  static func find(
    _ settings: GoogleCredentialSettings, scope: ServiceAccount.Scope, server: TokenServer,
    metadataServer: TokenServer, logger: Logger
  ) throws(BucketError) -> GoogleCredentials {
    if settings.isAnonymous { return .none }
    func credentials(
      _ file: CredentialFile, _ path: String
    ) throws(BucketError) -> GoogleCredentials {
      let source = try file.source(path: path, scope: scope, server: server)
      return GoogleCredentials(
        tokens: GoogleTokens(source, logger: logger, now: server.now),
        signer: (source as? ServiceAccount).map { .key($0.key, email: $0.email) },
        source: "\(source.name) (\(path))", quotaProject: file.quotaProject)
    }
    if let path = settings.file, !path.isEmpty {
      guard let file = try CredentialFile.read(path) else {
        throw BucketError(
          .credentials, "GOOGLE_APPLICATION_CREDENTIALS names \(path), which does not exist")
      }
      return try credentials(file, path)
    }
    if let folder = settings.configurationFolder {
      let path = folder + "/application_default_credentials.json"
      if let file = try CredentialFile.read(path) { return try credentials(file, path) }
    }
    let metadata = MetadataServer(
      host: settings.metadataHost, scope: scope, server: metadataServer)
    let tokens = GoogleTokens(metadata, logger: logger, now: server.now)
    return GoogleCredentials(
      tokens: tokens, signer: .service(metadata), source: "metadata server", quotaProject: nil)
  }
}
