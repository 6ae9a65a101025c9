import JobQueue

extension JobError {
  /// Whether the same job may go well another time.
  private var failureClass: JobFailure.Class {
    switch code {
    case .invalidInput, .unsupportedModel, .storageNotFound, .predictInvalid, .timeout, .canceled,
      .lostWorker:
      .input
    // A mistake of the program is one the next time as well.
    case .internal: .input
    case .storage, .redis, .predictUnavailable, .predictDeadline, .predictExhausted: .transient
    }
  }

  /// As the report of a failed execution.
  var failure: JobFailure {
    JobFailure(failureClass, reason: reason, errorCode: code.rawValue)
  }
}
