import CurlClient

/// What to say and to do about the errors of a bucket.
struct S3Failures: Sendable {
  /// What was asked for.
  enum Action: String, Sendable {
    case read, write, remove

    var permission: String {
      switch self {
      case .read: "s3:GetObject"
      case .write: "s3:PutObject"
      case .remove: "s3:DeleteObject"
      }
    }
  }

  let bucket: String
  /// Of the credential, for the messages.
  let source: String

  /// What it means that there is no response, with what to look at; nil where nothing can be told.
  func failedTry(_ error: HTTPError, _ key: ObjectKey, isAWS: Bool) -> FailedTry? {
    let hint: String
    switch error.code {
    case .nameNotResolved where isAWS: hint = "check AWS_REGION and the network"
    case .connectionFailed where isAWS: hint = "check the network, https_proxy and no_proxy"
    case .nameNotResolved, .connectionFailed: hint = "check AWS_ENDPOINT_URL_S3"
    case .certificateRefused:
      hint = "set STORAGE_CA_BUNDLE to the certificates of an authority of your own"
    default: return nil
    }
    var failed = FailedTry(error, key: key)
    failed.error = BucketError(
      failed.error.code, key: key.text, "\(error); \(hint)", isRetryable: failed.error.isRetryable,
      answer: failed.error.answer)
    return failed
  }

  /// What a response means that asks for nothing to be changed before another try.
  func failedTry(
    _ response: S3Response, _ action: Action, _ key: ObjectKey, server: String
  ) -> FailedTry {
    let kind = response.code.flatMap(S3ErrorCode.kind) ?? Self.kind(ofStatus: response)
    let answer = BucketError.ServerAnswer(
      status: response.status, serviceCode: response.code, requestID: response.requestID,
      server: server)
    func error(_ code: BucketError.Code, isRetryable: Bool) -> BucketError {
      BucketError(
        code, key: key.text, reason(code, response, action, key), isRetryable: isRetryable,
        answer: answer)
    }
    return switch kind {
    case .final(let code): FailedTry(error(code, isRetryable: false), .never)
    case .retry(let code):
      FailedTry(error(code, isRetryable: true), .later(atLeast: response.head.retryAfter))
    case .damaged: FailedTry(error(.checksum, isRetryable: true), .once(.damaged))
    case .clock, .credential: FailedTry(error(.credentials, isRetryable: true), .never)
    case .region: FailedTry(error(.invalidRequest, isRetryable: false), .never)
    }
  }

  /// Of a response whose code is not known, or that has none.
  private static func kind(ofStatus response: S3Response) -> S3ErrorCode.Kind {
    switch response.status {
    case 429: .retry(.throttled)
    case _ where response.head.isTransientFailure: .retry(.server)
    case 301, 302, 307, 308: .region
    case 401: .final(.credentials)
    case 403: .final(.accessDenied)
    case 404: .final(.notFound)
    case 413: .final(.tooLarge)
    case 400, 405, 411, 412, 414...417, 501: .final(.invalidRequest)
    default: .final(.server)
    }
  }

  private func reason(
    _ code: BucketError.Code, _ response: S3Response, _ action: Action, _ key: ObjectKey
  ) -> String {
    let said = response.message.map { ": \($0)" } ?? ""
    switch response.code {
    case "NoSuchBucket":
      return "the bucket \(bucket) does not exist; check STORAGE_BUCKET, AWS_REGION and "
        + "AWS_ENDPOINT_URL_S3"
    case "SignatureDoesNotMatch":
      return "the store refuses the signature; check that AWS_SECRET_ACCESS_KEY belongs to the "
        + "access key id (credential from \(source))"
    case "InvalidAccessKeyId":
      return "the store does not know the access key id; check the credential from \(source)"
    case "RequestTimeTooSkewed":
      return "the clocks of this machine and of the store differ by too much; set this one right"
    case "QuotaExceeded": return "the store has no room for \(key): its quota is used up"
    case let service? where S3ErrorCode.kind(of: service) == .credential:
      return "the store refuses the credential from \(source) as expired or invalid\(said)"
    default: break
    }
    if action == .write, code != .checksum, mayBeAboutChecksum(response) {
      return "the store refuses to \(action) \(key)\(said); if it does not know the checksum that "
        + "is sent along, set STORAGE_S3_CHECKSUM to md5 or none"
    }
    return switch code {
    case .notFound: "\(key) does not exist in the bucket; upload it first"
    case .accessDenied:
      "the store denies to \(action) \(key); give the credential from \(source) the permission "
        + "\(action.permission) for the bucket \(bucket)"
        + (action == .read ? ", and s3:ListBucket to be told if the object does not exist" : "")
    case .credentials: "the store refuses the credential from \(source)\(said)"
    case .throttled: "the store wants to be asked less often\(said)"
    case .checksum: "the bytes of \(key) were damaged on their way to the store"
    case .tooLarge: "\(key) is too large for the store\(said)"
    case .invalidRequest where (300..<400).contains(response.status):
      "the bucket \(bucket) is not where it was asked for; check AWS_REGION and "
        + "AWS_ENDPOINT_URL_S3"
    default: "the store cannot \(action) \(key)\(said)"
    }
  }

  private func mayBeAboutChecksum(_ response: S3Response) -> Bool {
    guard response.status == 501 || response.status == 400 else { return false }
    let message = response.message?.lowercased() ?? ""
    return response.status == 501 || message.contains("checksum") || message.contains("md5")
  }
}
