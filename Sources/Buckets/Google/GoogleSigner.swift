import CurlClient
import FoundationEssentials
import Retrying

/// Who signs URLs.
enum GoogleSigner: Sendable {
  /// The key of a service account.
  case key(RSAKey, email: String)
  /// Google, for an account whose key it keeps.
  case service(RemoteSigner)

  /// Signs where that takes no request; nil elsewhere.
  func signedLocally(_ url: SignedURL) throws(BucketError) -> String? {
    guard case .key(let key, let email) = self else { return nil }
    return url.text(
      email: email, signature: try key.signature(of: Array(url.stringToSign(email: email).utf8)))
  }

  /// - Throws: ``BucketError``; `CancellationError`.
  func signed(_ url: SignedURL) async throws -> String {
    if let text = try signedLocally(url) { return text }
    guard case .service(let signer) = self else { preconditionFailure("a key signs locally") }
    let email = try await signer.email()
    return url.text(
      email: email,
      signature: try await signer.signature(
        of: Array(url.stringToSign(email: email).utf8), email: email))
  }
}

/// Lets Google sign for the machine's service account, by the method `signBlob` of its IAM service.
actor RemoteSigner {
  static let service = "https://iamcredentials.googleapis.com"

  private let metadata: MetadataServer
  private let tokens: GoogleTokens
  private let server: TokenServer
  private let base: String
  private var knownEmail: String?

  /// - Parameters:
  ///   - tokens: for everything the account may; those for storage do not do.
  ///   - base: of the IAM service.
  init(
    metadata: MetadataServer, tokens: GoogleTokens, server: TokenServer,
    base: String = RemoteSigner.service
  ) {
    self.metadata = metadata
    self.tokens = tokens
    self.server = server
    self.base = base
  }

  func email() async throws -> String {
    if let knownEmail { return knownEmail }
    let email = try await metadata.email()
    knownEmail = email
    return email
  }

  private struct Answer: Decodable { var signedBlob: String }

  func signature(of message: [UInt8], email: String) async throws -> [UInt8] {
    let url = try HTTPURL(
      "\(base)/v1/projects/-/serviceAccounts/\(PercentEncoding.encode(email)):signBlob")
    let body = #"{"payload":"\#(Data(message).base64EncodedString())"}"#
    let operation = StoreOperation(
      key: nil, settings: server.settings, clock: server.clock, logger: server.logger)
    return try await operation.retrying {
      let token = try await tokens.current()
      let response = try await server.client.send(
        HTTPRequest(
          "POST", url,
          fields: [HTTPField("Content-Type", "application/json; charset=UTF-8"), token.field],
          body: HTTPBytes(Array(body.utf8)), timeouts: server.settings.requestTimeouts))
      guard response.status == 200 else {
        if response.status == 401 { _ = try await tokens.renew(insteadOf: token) }
        throw Self.failure(response, url, email)
      }
      guard
        let answer = try? GoogleJSON.decode(Answer.self, response.body),
        let signature = Data(base64Encoded: answer.signedBlob), !signature.isEmpty
      else {
        throw BucketError(
          .credentials, "Google's answer has no signature",
          answer: .init(status: response.status, server: "\(url)"))
      }
      return Array(signature)
    }
  }

  private static func failure(
    _ response: HTTPResponse, _ url: HTTPURL, _ email: String
  ) -> FailedTry {
    let text = GoogleErrorText(response.body)
    let words = text.message.map { ": \($0)" } ?? ""
    let isTransient = response.head.isTransientFailure
    return FailedTry(
      BucketError(
        .credentials,
        "Google signs no URL for \(email)\(words); give the account the role "
          + "roles/iam.serviceAccountTokenCreator on itself, or use a key file",
        isRetryable: isTransient,
        answer: .init(status: response.status, serviceCode: text.code, server: "\(url)")),
      isTransient
        ? .later(atLeast: response.head.retryAfter)
        : response.status == 401 ? .once(.credential) : .never)
  }
}
