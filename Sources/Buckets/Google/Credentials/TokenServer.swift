import CurlClient
import Logging
import Retrying

/// Asks a server for tokens and repeats what fails for a moment.
struct TokenServer: Sendable {
  var client: HTTPClient
  let settings: TransferSettings
  let clock: AnyClock
  let logger: Logger
  /// Seconds since 1970.
  let now: @Sendable () -> Int

  /// - Parameters:
  ///   - account: for messages.
  ///   - secrets: in the form, which the server might repeat.
  ///   - form: what to send, made anew for each try.
  /// - Throws: ``BucketError``; `CancellationError`.
  func post(
    to url: HTTPURL, account: String, hiding secrets: [Secret] = [],
    form: () throws(BucketError) -> [(String, String)]
  ) async throws -> Expiring<GoogleToken> {
    let operation = StoreOperation(
      key: nil, settings: settings, clock: clock, logger: logger)
    return try await operation.retrying {
      let body = try form().map { "\(Self.encode($0))=\(Self.encode($1))" }.joined(separator: "&")
      let request = HTTPRequest(
        "POST", url,
        fields: [
          HTTPField("Content-Type", "application/x-www-form-urlencoded"),
          HTTPField("Accept", "application/json"),
        ],
        body: HTTPBytes(Array(body.utf8)), timeouts: settings.requestTimeouts)
      let response = try await client.send(request)
      guard response.status == 200 else {
        throw Self.failure(response, url, account, secrets)
      }
      guard let token = GoogleToken.read(response.body, now: now()) else {
        throw BucketError(
          .credentials, "the token server's answer for \(account) has no token",
          answer: .init(status: response.status, server: "\(url)"))
      }
      return token
    }
  }

  private struct Refusal: Decodable {
    var error: String?
    var errorDescription: String?
  }

  private static func failure(
    _ response: HTTPResponse, _ url: HTTPURL, _ account: String, _ secrets: [Secret]
  ) -> FailedTry {
    func shown(_ text: String?) -> String? { text.map { ServiceText.shown($0, hiding: secrets) } }
    let refusal = try? GoogleJSON.decode(Refusal.self, response.body)
    let code = shown(refusal?.error)
    let isTransient =
      response.head.isTransientFailure
      || ["internal_failure", "server_error", "temporarily_unavailable"].contains(code)
    var reason = "Google refuses a token for \(account)"
    if let words = shown(refusal?.errorDescription), !words.isEmpty {
      reason += ": \(words)"
    }
    if code == "invalid_grant" {
      reason += "; check this machine's clock and whether the key was deleted or the access revoked"
    }
    let answer = BucketError.ServerAnswer(
      status: response.status, serviceCode: code, server: "\(url)")
    return FailedTry(
      BucketError(.credentials, reason, isRetryable: isTransient, answer: answer),
      isTransient ? .later(atLeast: response.head.retryAfter) : .never)
  }

  private static func encode(_ text: String) -> String { PercentEncoding.encode(text) }
}
