import CurlClient

/// Sends requests to Google Cloud Storage with the bucket's credentials.
struct GoogleService: Sendable {
  private static let bodyLimit = 65536

  let client: HTTPClient
  let endpoint: GoogleEndpoint
  let tokens: GoogleTokens?
  let quotaProject: String?
  let settings: TransferSettings
  let clock: ServerClock
  let failures: GoogleFailures

  /// - Throws: ``FailedTry`` for a status other than 2xx; `HTTPError`; ``BucketError``.
  func send(
    _ request: HTTPRequest, _ action: GoogleFailures.Action, _ key: ObjectKey
  ) async throws -> HTTPResponse {
    let token = try await tokens?.current()
    let response = try await client.send(
      authorized(request, token), bodyLimit: Self.bodyLimit, overflow: .cut)
    clock.note(response.head)
    guard (200..<300).contains(response.status) else {
      throw try await failure(response.head, response.body, token, action, key)
    }
    return response
  }

  /// As ``send(_:_:_:)``, for a read.
  func read(_ request: HTTPRequest, _ key: ObjectKey, into sink: RangeSink) async throws {
    let token = try await tokens?.current()
    let head = try await client.transfer(authorized(request, token), into: sink)
    clock.note(head)
    guard sink.isAccepted else {
      throw try await failure(head, sink.errorBody, token, .read, key)
    }
  }

  /// Sends what belongs to a session of a resumable upload, whose URL is all the credential it takes.
  ///
  /// - Returns: a response of any status.
  func sendToSession(_ request: HTTPRequest) async throws -> HTTPResponse {
    try await client.send(request, bodyLimit: Self.bodyLimit, overflow: .cut)
  }

  private func authorized(_ request: HTTPRequest, _ token: GoogleToken?) -> HTTPRequest {
    var request = request
    if let token { request.fields.append(token.field) }
    if let quotaProject {
      request.fields.append(HTTPField("x-goog-user-project", quotaProject))
    }
    return request
  }

  /// What a refusal means, once there is another token if it was about that.
  private func failure(
    _ head: HTTPHead, _ body: [UInt8], _ token: GoogleToken?, _ action: GoogleFailures.Action,
    _ key: ObjectKey
  ) async throws -> FailedTry {
    let failed = failures.failedTry(head, body, action, key)
    guard head.status == 401, let token, let tokens else { return failed }
    _ = try await tokens.renew(insteadOf: token)
    return FailedTry(failed.error, .once(.credential))
  }
}
