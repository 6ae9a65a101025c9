/// How a job ended.
package enum JobEnd: Sendable {
  case done
  /// - reason: its last line is a whole sentence for the job's owner.
  case failed(reason: String, errorCode: String)
  /// Stopped because somebody wanted it so: a failure to clients, but no dead letter.
  case canceled(reason: String)

  package var status: JobStatus {
    switch self {
    case .done: .done
    case .failed, .canceled: .failed
    }
  }

  /// The word of the scripts.
  var outcome: String {
    switch self {
    case .done: "done"
    case .failed: "failed"
    case .canceled: "canceled"
    }
  }

  var fields: [String: String] {
    switch self {
    case .done: [:]
    case .failed(let reason, let code): [Field.reason: reason, Field.errorCode: code]
    case .canceled(let reason):
      [Field.reason: reason, Field.errorCode: "canceled", Field.canceled: "1"]
    }
  }
}

/// Whether a job that failed is tried again.
public enum FailureClass: String, Sendable {
  /// The job itself is wrong: never tried again.
  case input
  /// It may go well another time: tried again after a pause, while attempts are left.
  case transient
  /// Something it needs has no room for it: back to the waiting end, without spending an attempt.
  case capacity
}

/// Why an execution failed.
package struct JobFailure: Sendable {
  package typealias Class = FailureClass

  package var kind: Class
  /// Its last line is a whole sentence for the job's owner.
  package var reason: String
  package var errorCode: String

  package init(_ kind: Class, reason: String, errorCode: String) {
    self.kind = kind
    self.reason = reason
    self.errorCode = errorCode
  }
}

/// What became of a job whose end was reported, and the jobs that were taken with the report.
package struct Ending: Sendable {
  package enum Outcome: String, Sendable {
    /// The end was written.
    case written = "ok"
    /// The same report was executed before and its reply lost: the end was written then. Jobs taken
    /// then are in this worker's list without its knowledge; see ``JobQueue/recover(except:)``.
    case again
    /// The failure was final, and was written.
    case failed
    /// The job will be tried again after ``Ending/retryDelay``.
    case retry
    /// The job is back in its queue.
    case released
    /// It was to be cancelled, and has ended so.
    case canceled
    /// Another has the job or has ended it: nothing was written.
    case lost
    /// Its hash is gone: nothing was written.
    case gone

    /// Whether the job has ended for good with this report.
    package var isFinal: Bool {
      switch self {
      case .written, .again, .failed, .canceled: true
      case .retry, .released, .lost, .gone: false
      }
    }
  }

  package let outcome: Outcome
  package let retryDelay: Duration?
  package let next: Claim
}
