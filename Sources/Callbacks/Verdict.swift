import CurlClient

/// What a try says about a callback.
enum Verdict: Sendable, Hashable {
  case delivered
  /// It may work later.
  ///
  /// - Parameter wait: what the receiver asked for.
  case postponed(String, wait: Duration?)
  /// It will not work until somebody changes something.
  case refused(String)

  init(_ head: HTTPHead, now: Int) {
    let reason = "the receiver answered \(head.status)"
    switch head.status {
    case 200..<300: self = .delivered
    case 408, 425, 429, 500...:
      self = .postponed(
        reason, wait: head["retry-after"].flatMap { RetryAfter.delay($0, now: now) })
    case 300..<400: self = .refused(reason + "; redirects are not followed")
    default: self = .refused(reason)
    }
  }

  init(_ error: any Error) {
    guard let error = error as? HTTPError else {
      self = .postponed("\(error)", wait: nil)
      return
    }
    // The receiver has it when only the rest of its answer is missing.
    if let status = error.status, (200..<300).contains(status) {
      self = .delivered
    } else {
      self =
        error.isRetryable || error.code == .stopped
        ? .postponed("\(error)", wait: nil) : .refused("\(error)")
    }
  }
}
