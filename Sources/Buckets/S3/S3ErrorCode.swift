/// What the errors of S3 and of servers like it mean, by the code in their XML.
enum S3ErrorCode {
  enum Kind: Equatable {
    case final(BucketError.Code)
    case retry(BucketError.Code)
    case clock, credential, damaged, region
  }

  /// Nil for a code that is not known; then the status decides.
  static func kind(of code: String) -> Kind? {
    switch code {
    case "RequestTimeout", "RequestTimeoutException", "InternalError", "ServiceUnavailable",
      "PriorRequestNotComplete", "OperationAborted":
      .retry(.server)
    case "SlowDown", "Throttling", "ThrottlingException", "TooManyRequests",
      "RequestLimitExceeded", "BandwidthLimitExceeded", "RequestThrottled":
      .retry(.throttled)
    case "RequestTimeTooSkewed": .clock
    case "BadDigest", "XAmzContentSHA256Mismatch": .damaged
    case "ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired":
      .credential
    case "AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect",
      "IllegalLocationConstraintException":
      .region
    case "AccessDenied", "AllAccessDisabled", "AccountProblem": .final(.accessDenied)
    case "SignatureDoesNotMatch", "InvalidAccessKeyId": .final(.credentials)
    case "NoSuchKey": .final(.notFound)
    case "EntityTooLarge": .final(.tooLarge)
    // Nothing that a job's sender could change.
    case "NoSuchBucket", "NoSuchUpload", "InvalidPart", "InvalidPartOrder", "EntityTooSmall",
      "NotImplemented", "MethodNotAllowed", "QuotaExceeded":
      .final(.server)
    case "InvalidRequest", "KeyTooLongError", "InvalidArgument": .final(.invalidRequest)
    default: nil
    }
  }
}
