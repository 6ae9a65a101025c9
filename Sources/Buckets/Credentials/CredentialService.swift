import CurlClient
import Retrying

/// A service that gives out credentials over HTTP.
///
/// What it answers may hold secrets, and what it is asked as well: of neither does anything go into
/// errors but status, code and the service's own words, in which secrets are blotted out. Redirects
/// are not followed, and an answer of more than 64 KiB is none.
struct CredentialService: Sendable {
  static let answerLimit = 64 << 10

  /// For messages: `STS`.
  let name: String
  let client: HTTPClient
  var timeouts = HTTPTimeouts(connect: .seconds(5), total: .seconds(10), stall: .seconds(10))
  /// The short pauses of ``RetryDelay``: whoever needs the credential repeats the rest.
  var policy = RetryPolicy(
    base: .milliseconds(100), cap: .seconds(1), jitter: .equal, maximumRetries: 4)
  var clock = AnyClock.continuous

  /// Sends a request until there is an answer that will do.
  ///
  /// - Parameters:
  ///   - request: makes the request anew for each try.
  ///   - read: takes what it needs from an answer of any status, or throws a ``BucketError`` that says
  ///     whether another try may do better.
  /// - Throws: ``BucketError`` `credentials`, which has no status if there was no answer;
  ///   `CancellationError`.
  func answer<Value>(
    to request: () throws -> HTTPRequest, read: (HTTPResponse) throws -> Value
  ) async throws -> Value {
    let start = clock.now
    var tries = 0
    return try await retry(policy: policy(for:), clock: clock) {
      tries += 1
      var request = try request()
      request.timeouts = timeouts
      do {
        return try read(try await client.send(request, bodyLimit: Self.answerLimit))
      } catch {
        guard var failure = failure(error) else { throw error }
        failure.answer?.server = "\(request.url)"
        failure.tries = tries
        failure.elapsed = clock.now - start
        throw failure
      }
    }
  }

  private func policy(for error: any Error) -> RetryPolicy? {
    (error as? BucketError)?.isRetryable == true ? policy : nil
  }

  private func failure(_ error: any Error) -> BucketError? {
    guard let error = error as? HTTPError else { return error as? BucketError }
    return BucketError(
      .credentials, "\(name) cannot be asked: \(error)", isRetryable: error.isRetryable,
      answer: .init(status: error.status))
  }

  /// The failure that an answer tells.
  ///
  /// - Parameters:
  ///   - code: the service's name of the error.
  ///   - message: the service's words.
  ///   - secrets: that were sent.
  func refusal(
    _ response: HTTPResponse, code: String? = nil, message: String? = nil,
    hiding secrets: [Secret] = [], isRetryable: Bool = false
  ) -> BucketError {
    func shown(_ text: String?) -> String? {
      text.map { ServiceText.shown($0, hiding: secrets) }.flatMap { $0.isEmpty ? nil : $0 }
    }
    let isTransient = response.head.isTransientFailure
    return BucketError(
      .credentials,
      "\(name) gave no credential" + (shown(message).map { ": \($0)" } ?? ""),
      isRetryable: isRetryable || isTransient,
      answer: .init(status: response.status, serviceCode: shown(code)))
  }

  /// An answer that is not what it should be.
  func malformed(_ reason: String) -> BucketError {
    BucketError(
      .credentials, "\(name) gave an answer that cannot be used: \(reason)", answer: .init())
  }
}
