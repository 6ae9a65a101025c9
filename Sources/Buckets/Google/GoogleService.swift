import CurlClient

/// Sends requests to Google Cloud Storage with the bucket's credentials, and tells what failures mean.
struct GoogleService: Sendable {
  let client: HTTPClient
  let endpoint: GoogleEndpoint
  let tokens: GoogleTokens?
  let quotaProject: String?
  let settings: TransferSettings
  let clock: ServerClock

  /// - Throws: ``FailedTry`` for a status other than 2xx; `HTTPError`; ``BucketError``.
  func send(_ request: HTTPRequest, _ key: ObjectKey) async throws -> HTTPResponse {
    let (request, token) = try await authorized(request)
    let response = try await client.send(request, bodyLimit: Self.bodyLimit, overflow: .cut)
    clock.note(response.head)
    guard (200..<300).contains(response.status) else {
      throw await failure(response.head, response.body, key, token)
    }
    return response
  }

  private static let bodyLimit = 65536

  /// As ``send(_:_:)`` for a read.
  func read(_ request: HTTPRequest, _ key: ObjectKey, into sink: RangeSink) async throws {
    let (request, token) = try await authorized(request)
    let head = try await client.transfer(request, into: sink)
    clock.note(head)
    guard sink.isAccepted else { throw await failure(head, sink.errorBody, key, token) }
  }

  private func authorized(
    _ request: HTTPRequest
  ) async throws -> (HTTPRequest, GoogleToken?) {
    var request = request
    let token = try await tokens?.token()
    if let token { request.fields.append(token.field) }
    if let quotaProject {
      request.fields.append(HTTPField("x-goog-user-project", quotaProject))
    }
    return (request, token)
  }

  // MARK: Failures

  /// What a response other than the wanted one means.
  ///
  /// - Parameters:
  ///   - token: what the request showed; it is not used again if it was refused.
  ///   - isSession: whether the request belongs to a resumable upload. The id of such a request is the
  ///     session's own, with which anyone may write.
  func failure(
    _ head: HTTPHead, _ body: [UInt8], _ key: ObjectKey, _ token: GoogleToken? = nil,
    isSession: Bool = false
  ) async -> FailedTry {
    if head.status == 401, let token { await tokens?.refuse(token) }
    let text = GoogleErrorText(body)
    let answer = BucketError.ServerAnswer(
      status: head.status, serviceCode: text.reason,
      requestID: isSession ? nil : head["x-guploader-uploadid"].map(GoogleErrorText.printable),
      server: (try? HTTPURL(endpoint.base)).map { "\($0)" })
    let (code, reason) = meaning(of: head.status, text, key)
    let retry: FailedTry.Retry =
      if head.isTransientFailure || head.status == 403 && text.isRateLimit {
        .later(atLeast: head.retryAfter)
      } else if head.status == 401, token != nil {
        .once(.credential)
      } else if code == .checksum {
        .once(.damaged)
      } else {
        .never
      }
    let isRetryable = if case .later = retry { true } else { false }
    return FailedTry(
      BucketError(code, key: key.text, reason, isRetryable: isRetryable, answer: answer), retry)
  }

  private func meaning(
    of status: Int, _ text: GoogleErrorText, _ key: ObjectKey
  ) -> (BucketError.Code, String) {
    let words = text.message.map { ": \($0)" } ?? ""
    switch status {
    case 401:
      return (
        .credentials,
        tokens == nil
          ? "Google wants credentials for \(key)\(words)"
          : "Google does not accept the credentials for \(key)\(words)"
      )
    case 403 where text.isRateLimit, 429:
      return (.throttled, "Google Cloud Storage takes no more requests for \(key) now\(words)")
    case 403:
      return (
        .accessDenied,
        "no access to \(key) in the bucket \(endpoint.bucket)\(words); "
          + "give the account the role roles/storage.objectUser on the bucket"
      )
    case 404 where text.mentions("bucket does not exist"):
      return (.notFound, "the bucket \(endpoint.bucket) does not exist; check STORAGE_BUCKET")
    case 404: return (.notFound, "\(key) does not exist in the bucket; upload it first")
    case 400 where text.isAboutChecksum, 412 where text.isAboutChecksum:
      return (.checksum, "\(key) was damaged on the way to the store\(words)")
    case 413: return (.tooLarge, "\(key) is too large for the store\(words)")
    case 500...: return (.server, "Google Cloud Storage failed at \(key)\(words)")
    case 300..<400: return (.server, "Google Cloud Storage redirects, which is not followed")
    default: return (.invalidRequest, "Google Cloud Storage refuses the request for \(key)\(words)")
    }
  }
}
