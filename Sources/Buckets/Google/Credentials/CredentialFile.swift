import CurlClient

/// A JSON file with Google credentials, as the console and `gcloud` write them.
struct CredentialFile: Decodable {
  private static let sizeLimit = 64 << 10

  private var type: String?
  private var clientEmail: String?
  private var privateKey: String?
  private var privateKeyId: String?
  private var tokenUri: String?
  private var clientId: String?
  private var clientSecret: String?
  private var refreshToken: String?
  private var quotaProjectId: String?

  /// Nil if there is no such file.
  ///
  /// - Throws: ``BucketError`` `credentials` for one that cannot be read.
  static func read(_ path: String) throws(BucketError) -> CredentialFile? {
    guard let bytes = try SmallFile.bytes(path, limit: sizeLimit) else { return nil }
    do { return try GoogleJSON.decode(CredentialFile.self, bytes) } catch {
      // The error may quote the file.
      throw BucketError(.credentials, "the Google credentials in \(path) are not valid JSON")
    }
  }

  /// Whom requests are charged to, as `gcloud` was told.
  var quotaProject: String? { quotaProjectId }

  /// - Parameter path: for messages.
  /// - Throws: ``BucketError`` `credentials` that names what is missing.
  func source(
    path: String, scope: GoogleScope, server: TokenServer
  ) throws(BucketError) -> any GoogleTokenSource {
    func require(_ value: String?, _ field: String) throws(BucketError) -> String {
      if let value, !value.isEmpty { return value }
      throw BucketError(.credentials, "the Google credentials in \(path) have no \(field)")
    }
    let tokenURL = try Self.tokenURL(tokenUri, path)
    switch type {
    case "service_account":
      guard let key = RSAKey(pem: Secret(try require(privateKey, "private_key"))) else {
        throw BucketError(
          .credentials, "the private_key in \(path) is not an RSA key in the form PEM")
      }
      return ServiceAccount(
        email: try require(clientEmail, "client_email"), key: key, keyID: privateKeyId,
        tokenURL: tokenURL, scope: scope, server: server)
    case "authorized_user":
      return AuthorizedUser(
        clientID: try require(clientId, "client_id"),
        clientSecret: Secret(try require(clientSecret, "client_secret")),
        refreshToken: Secret(try require(refreshToken, "refresh_token")), tokenURL: tokenURL,
        server: server)
    case "external_account":
      throw BucketError(
        .credentials,
        "the Google credentials in \(path) are for workload identity federation "
          + "(external_account), which is not supported; use a key of a service account, or run on "
          + "GKE or Compute Engine with a service account")
    case let type:
      throw BucketError(
        .credentials,
        "the Google credentials in \(path) have the type "
          + "\(ServiceText.shown(type ?? "(none)", hiding: [])); "
          + "service_account and authorized_user are supported")
    }
  }

  /// Keys and assertions go there: over TLS, or to this machine, where tests and proxies listen.
  private static func tokenURL(_ text: String?, _ path: String) throws(BucketError) -> HTTPURL {
    let refusal = BucketError(
      .credentials,
      "the token_uri in \(path) is not https, nor http to this machine")
    let url: HTTPURL
    do { url = try HTTPURL(text ?? "https://oauth2.googleapis.com/token") } catch { throw refusal }
    guard url.scheme == "https" || url.isLoopback else { throw refusal }
    return url
  }
}
