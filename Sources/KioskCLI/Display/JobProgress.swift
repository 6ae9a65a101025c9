import JobQueue

/// What happens to one file at the moment.
struct JobProgress: Sendable, Equatable {
  enum Stage: Sendable, Equatable {
    case uploading
    /// In the queue; 1 is next. Nil where the position is not known.
    case queued(position: Int?)
    /// Taken by a consumer, which waits for a model server that is not there yet.
    case waitingForModelServer
    case working(JobStatus)
    case downloading
    case done
    case failed

    var isFinal: Bool { self == .done || self == .failed }
  }

  var stage: Stage
  /// Of the job, or of the transfer; nil if unknown.
  var percent: Int?

  /// The stage in at most 24 columns.
  var text: String {
    switch stage {
    case .uploading: "uploading"
    case .queued(let position): position.map { "position \($0) in queue" } ?? "in queue"
    case .waitingForModelServer: "model server starting"
    case .working(let status): status.rawValue.printable
    case .downloading: "downloading"
    case .done: "done"
    case .failed: "failed"
    }
  }

  /// The same for all moments that a plain log shows as one.
  var plainText: String {
    switch stage {
    case .queued: JobStatus.new.rawValue
    default: text
    }
  }
}
