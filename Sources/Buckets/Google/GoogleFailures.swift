import CurlClient

/// What to say and to do about the errors of Google Cloud Storage.
struct GoogleFailures: Sendable {
  /// What was asked for.
  enum Action: Sendable, Equatable {
    case read, remove
    /// With a public ACL that may be left out, or without.
    case write(hasOptionalACL: Bool)
  }

  let bucket: String
  /// Scheme, host and port.
  let server: String
  /// Of the credentials, for the messages; nil if requests show none.
  let account: String?

  /// What a response means that is not the wanted one.
  ///
  /// - Parameter session: of a resumable upload, if the request belongs to one. Whoever knows its URL
  ///   may write, and the ids of its requests are part of that.
  func failedTry(
    _ head: HTTPHead, _ body: [UInt8], _ action: Action, _ key: ObjectKey,
    session: HTTPURL? = nil
  ) -> FailedTry {
    let text = GoogleErrorText(body, hiding: session?.query.map { [Secret($0)] } ?? [])
    let (code, reason) = meaning(of: head.status, text, action, key)
    let isTransient = head.isTransientFailure || head.status == 403 && text.isRateLimit
    let retry: FailedTry.Retry =
      if isTransient {
        .later(atLeast: head.retryAfter)
      } else if code == .checksum {
        .once(.damaged)
      } else if action == .write(hasOptionalACL: true), refusesACL(head.status, text) {
        .once(.option)
      } else {
        .never
      }
    let answer = BucketError.ServerAnswer(
      status: head.status, serviceCode: text.code,
      requestID: session == nil
        ? head["x-guploader-uploadid"].map { ServiceText.shown($0, hiding: []) } : nil,
      server: server)
    return FailedTry(
      BucketError(code, key: key.text, reason, isRetryable: isTransient, answer: answer), retry)
  }

  /// Whether it may be the public ACL that stands in the way. Organisations forbid it in several ways,
  /// whose words change; one request more is all that a mistake costs.
  private func refusesACL(_ status: Int, _ text: GoogleErrorText) -> Bool {
    switch status {
    case 400, 412: true
    case 403:
      // The last is of tokens that were made for less than full control.
      text.mentions("setiampolicy", " acl", "public access prevention", "scope")
    default: false
    }
  }

  private func meaning(
    of status: Int, _ text: GoogleErrorText, _ action: Action, _ key: ObjectKey
  ) -> (BucketError.Code, String) {
    let said = text.message.map { ": \($0)" } ?? ""
    switch status {
    case 401:
      return (
        .credentials,
        account.map { "Google does not accept the credentials of \($0) for \(key)\(said)" }
          ?? "Google wants credentials for \(key)\(said); set GOOGLE_APPLICATION_CREDENTIALS, and "
          + "STORAGE_GCS_ANONYMOUS=true for public buckets only"
      )
    case 403 where text.isRateLimit, 429:
      return (.throttled, "Google Cloud Storage wants to be asked less often\(said)")
    case 403:
      return (
        .accessDenied,
        "no access to \(key) in the bucket \(bucket)\(said); give \(account ?? "everyone") the role "
          + "roles/storage.objectUser on the bucket"
      )
    case 404 where text.mentions("bucket does not exist") || action.isWrite:
      // Nothing that a job's sender could change.
      return (.server, "the bucket \(bucket) does not exist; check STORAGE_BUCKET")
    case 404: return (.notFound, "\(key) does not exist in the bucket; upload it first")
    case 400 where text.isAboutChecksum, 412 where text.isAboutChecksum:
      return (.checksum, "\(key) was damaged on the way to the store\(said)")
    case 413: return (.tooLarge, "\(key) is too large for the store\(said)")
    case 300..<400: return (.server, "Google Cloud Storage redirects, which is not followed")
    case 408, 500...: return (.server, "Google Cloud Storage failed at \(key)\(said)")
    default: return (.invalidRequest, "Google Cloud Storage refuses the request for \(key)\(said)")
    }
  }
}

extension GoogleFailures.Action {
  fileprivate var isWrite: Bool { if case .write = self { true } else { false } }
}
