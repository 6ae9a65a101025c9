import CurlClient
import Logging
import Retrying

/// Where Google credentials are looked for, in this order.
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
  /// Whose they are, for messages; nil where requests show none.
  let account: String?
  /// Where they are from, for the line at start.
  let source: String
  /// Whom requests are charged to, if the file says so.
  let quotaProject: String?

  /// Requests to an emulator show no credentials.
  static let none = GoogleCredentials(tokens: nil, signer: nil, account: nil, source: "none")

  /// Finds the first that is configured. One that is configured and broken is an error, so that nobody
  /// works under another identity than they think.
  ///
  /// - Parameter client: for token servers on the internet; it may use proxies.
  /// - Throws: ``BucketError`` `credentials`.
  static func find(
    _ settings: GoogleCredentialSettings, scope: GoogleScope, _ transfers: TransferSettings,
    client: HTTPClient, _ surroundings: GoogleSurroundings, logger: Logger
  ) throws(BucketError) -> GoogleCredentials {
    if settings.isAnonymous { return .none }
    let server = TokenServer(
      client: client, settings: transfers, clock: surroundings.clock, logger: logger,
      now: surroundings.now)
    if let path = settings.file, !path.isEmpty {
      guard let file = try CredentialFile.read(path) else {
        throw BucketError(
          .credentials, "GOOGLE_APPLICATION_CREDENTIALS names \(path), which does not exist")
      }
      return try Self(file, path, scope, server)
    }
    if let folder = settings.configurationFolder {
      let path = folder + "/application_default_credentials.json"
      if let file = try CredentialFile.read(path) { return try Self(file, path, scope, server) }
    }
    return try ofMachine(settings.metadataHost, scope, server, signing: surroundings.signing)
  }

  private init(
    _ file: CredentialFile, _ path: String, _ scope: GoogleScope, _ server: TokenServer
  ) throws(BucketError) {
    let source = try file.source(path: path, scope: scope, server: server)
    tokens = server.tokens(of: source)
    signer = (source as? ServiceAccount).map { .key($0.key, email: $0.email) }
    account = source.name
    self.source = "\(source.name) (\(path))"
    quotaProject = file.quotaProject
  }

  private init(tokens: GoogleTokens?, signer: GoogleSigner?, account: String?, source: String) {
    self.tokens = tokens
    self.signer = signer
    self.account = account
    self.source = source
    quotaProject = nil
  }

  private static func ofMachine(
    _ host: String?, _ scope: GoogleScope, _ server: TokenServer, signing: String
  ) throws(BucketError) -> GoogleCredentials {
    // Proxies know other machines' metadata.
    var local = server
    local.client = try server.settings.makeClient(usesProxies: false)
    let metadata = MetadataServer(host: host, scope: scope, server: local)
    let everything = MetadataServer(host: host, scope: .everything, server: local)
    return GoogleCredentials(
      tokens: server.tokens(of: metadata),
      signer: .service(
        RemoteSigner(
          metadata: metadata, tokens: server.tokens(of: everything), server: server,
          base: signing)),
      account: metadata.name, source: metadata.name)
  }
}

extension TokenServer {
  fileprivate func tokens(of source: any GoogleTokenSource) -> GoogleTokens {
    GoogleTokens(logger: logger, minimumAge: 0, now: now) { try await source.fetch() }
  }
}
