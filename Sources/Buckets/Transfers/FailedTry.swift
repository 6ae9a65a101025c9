import CurlClient

/// A request that failed, and whether another try may do better.
struct FailedTry: Error {
  enum Retry: Sendable {
    case never
    /// After a pause, which the server may want to be longer.
    case later(atLeast: Duration?)
    /// At once, if this was not the remedy before: what stood in the way has been changed.
    case once(Remedy)
  }

  /// What was changed between two tries.
  enum Remedy: Sendable {
    /// The time that requests are signed with.
    case clock
    case credential
    /// The region or host that requests are sent to.
    case address
    /// Nothing: bytes were damaged on the way.
    case damaged
    /// Nothing: the object was replaced while it was read, or an upload's session has ended.
    case replaced
    /// What the store would not take was left out.
    case option
  }

  var error: BucketError
  let retry: Retry

  init(_ error: BucketError, _ retry: Retry) {
    self.error = error
    self.retry = retry
  }

  /// No response, or none that was complete.
  init(_ error: HTTPError, key: ObjectKey?) {
    let code: BucketError.Code =
      switch error.code {
      case .timedOut: .timeout
      case .invalidRequest, .addressRefused: .invalidRequest
      case .tooLarge: .server
      case .bodyFailed: .temporaryFolder
      default: .network
      }
    self.init(
      BucketError(
        code, key: key?.text, "\(error)", isRetryable: error.isRetryable,
        answer: .init(status: error.status, server: error.server)),
      error.isRetryable ? .later(atLeast: nil) : .never)
  }
}

extension HTTPHead {
  /// Whether any server that answers so may answer otherwise later.
  var isTransientFailure: Bool { [408, 429, 500, 502, 503, 504].contains(status) }

  /// How long the server wants not to be asked again.
  var retryAfter: Duration? {
    self["retry-after"].flatMap { RetryAfter.delay($0, now: WallClock.now()) }
  }
}
