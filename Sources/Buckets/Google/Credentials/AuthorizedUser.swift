import CurlClient

/// Someone who has logged in with `gcloud auth application-default login`: a file of the type
/// `authorized_user`.
struct AuthorizedUser: GoogleTokenSource, Sendable {
  let clientID: String
  let clientSecret: Secret
  let refreshToken: Secret
  let tokenURL: HTTPURL
  let server: TokenServer

  var name: String { "the user who is logged in" }

  func fetch() async throws -> Expiring<GoogleToken> {
    try await server.post(
      to: tokenURL, account: name, hiding: [clientSecret, refreshToken]
    ) { () throws(BucketError) in
      [
        ("grant_type", "refresh_token"), ("client_id", clientID),
        ("client_secret", clientSecret.revealed), ("refresh_token", refreshToken.revealed),
      ]
    }
  }
}
