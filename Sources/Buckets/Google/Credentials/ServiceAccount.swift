import CurlClient
import FoundationEssentials

/// A service account with its key, from a file of the type `service_account`.
struct ServiceAccount: GoogleTokenSource, Sendable {
  /// A clock that is ahead must not make tokens of the future.
  private static let clockMargin = 10
  private static let lifetime = 3600

  let email: String
  let key: RSAKey
  private let keyID: String?
  private let tokenURL: HTTPURL
  private let scope: GoogleScope
  private let server: TokenServer

  init(
    email: String, key: RSAKey, keyID: String?, tokenURL: HTTPURL, scope: GoogleScope,
    server: TokenServer
  ) {
    self.email = email
    self.key = key
    self.keyID = keyID
    self.tokenURL = tokenURL
    self.scope = scope
    self.server = server
  }

  var name: String { "service account \(email)" }

  func fetch() async throws -> Expiring<GoogleToken> {
    try await server.post(to: tokenURL, account: name) { () throws(BucketError) in
      [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", try assertion(now: server.now())),
      ]
    }
  }

  private struct Header: Encodable {
    var alg = "RS256"
    var kid: String?
    var typ = "JWT"
  }

  private struct Claims: Encodable {
    var aud: String
    var exp: Int
    var iat: Int
    var iss: String
    var scope: String
  }

  /// A JSON web token (RFC 7519) that asks for an access token (RFC 7523).
  func assertion(now: Int) throws(BucketError) -> String {
    let issued = now - Self.clockMargin
    let claims = Claims(
      aud: tokenURL.text, exp: issued + Self.lifetime, iat: issued, iss: email,
      scope: scope.rawValue)
    let signed = try Self.segment(Header(kid: keyID)) + "." + Self.segment(claims)
    return try signed + "." + Self.base64URL(Data(key.signature(of: Array(signed.utf8))))
  }

  private static func segment(_ value: some Encodable) throws(BucketError) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do { return base64URL(try encoder.encode(value)) } catch {
      throw BucketError(.credentials, "the claims for a Google token cannot be written: \(error)")
    }
  }

  /// Base64 for URLs, without padding (RFC 4648, section 5).
  private static func base64URL(_ data: Data) -> String {
    data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
      .replacing("=", with: "")
  }
}
