/// What the `status` field of a job hash says.
///
/// `done` and `failed` are the only ends that clients know.
public struct JobStatus: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  public let rawValue: String

  public init(rawValue: String) { self.rawValue = rawValue }

  public static let new = JobStatus(rawValue: "new")
  public static let started = JobStatus(rawValue: "started")
  public static let preProcessing = JobStatus(rawValue: "pre-processing")
  public static let predicting = JobStatus(rawValue: "predicting")
  public static let postProcessing = JobStatus(rawValue: "post-processing")
  public static let savingResults = JobStatus(rawValue: "saving-results")
  /// A parent whose children are at work.
  public static let waiting = JobStatus(rawValue: "waiting")
  public static let done = JobStatus(rawValue: "done")
  public static let failed = JobStatus(rawValue: "failed")

  /// Whether nothing may change any more.
  public var isFinal: Bool { self == .done || self == .failed }

  public var description: String { rawValue }
}
