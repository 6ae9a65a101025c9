import JobQueue

/// What a job waits for.
struct Parking: Sendable {
  let children: [ChildJob]
  let policy: ParkingPolicy
  /// What they are of the job's progress.
  let percent: Int
  /// Keys of all children the job has had, those that are not waited for included.
  let all: [String]

  /// Fields of the parent that go with it.
  var fields: [String: String] { [Field.children: all.joined(separator: ",")] }
}

/// A job that another waited for.
public struct ChildResult: Sendable {
  public let key: String
  /// Nil if its hash is gone: a client let it expire.
  public let status: JobStatus?
  /// What was read of its hash, without empty fields.
  private let fields: [String: String]

  init(key: String, fields: [String: String]?) {
    self.key = key
    self.fields = fields ?? [:]
    status = fields.map { JobStatus(rawValue: $0[Field.status] ?? "") }
  }

  /// What is read unless more is asked for.
  static let standardFields = [
    Field.status, Field.originalName, Field.outputFileName, Field.outputURL, Field.reason,
    Field.errorCode,
  ]

  public var isDone: Bool { status == .done }
  /// Whether nothing more will come of it.
  public var hasEnded: Bool { status?.isFinal ?? true }
  /// Why there is no result, in a sentence for the job's owner; nil unless it has ended without one.
  public var failure: String? {
    guard hasEnded, !isDone else { return nil }
    return status == nil
      ? "Internal: nothing is known of the job any more"
      : self[Field.reason] ?? "Internal: the job failed without saying why"
  }

  /// A field that was read; nil if it is absent or empty.
  public subscript(field: String) -> String? {
    guard let value = fields[field], !value.isEmpty else { return nil }
    return value
  }
}
