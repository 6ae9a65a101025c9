import JobQueue

extension JobError.Code {
  /// Whether the same job may go well another time, where an error does not say.
  public var failureClass: FailureClass {
    switch self {
    case .invalidInput, .unsupportedModel, .storageNotFound, .predictInvalid, .timeout, .canceled,
      .lostWorker:
      .input
    // A mistake of the program is one the next time as well.
    case .internal: .input
    case .storage, .redis, .predictUnavailable, .predictDeadline, .predictExhausted: .transient
    }
  }
}

extension JobError {
  /// As the report of a failed execution.
  var failure: JobFailure {
    JobFailure(failureClass, reason: reason, errorCode: code.rawValue)
  }
}
