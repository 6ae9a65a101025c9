import Buckets
import FoundationEssentials
import JobQueue
import Logging

/// The objects that a job makes in the bucket for its children to work on: private, named after the job,
/// and removed when it ends.
///
/// What is to be made is noted first, in Redis. So the objects are also found by ``ObjectSweep`` when the
/// job ends without its consumer: cancelled while it waits, or given up after crashes.
struct IntermediateObjects: Sendable {
  private let job: String
  /// Of the job's own, the same in each execution.
  private let folder: String
  private let queue: JobQueue
  private let bucket: any Bucket
  private let logger: Logger

  /// Removed at a time.
  private static let width = 8

  init(of job: String, origin: String, context: ConsumerContext, logger: Logger) {
    self.job = job
    folder = Keys.digest(of: origin, by: "objects")
    queue = context.queue
    bucket = context.bucket
    self.logger = logger
  }

  /// The object for a file of this name, `/` between folders.
  ///
  /// - Throws: ``BucketError`` `invalidRequest` for a name that no object can have.
  func key(named name: String) throws -> ObjectKey {
    let (destination, last) = destination(of: name)
    return try destination.key(forFileNamed: last)
  }

  /// Notes what will be made, before the first object is. What an earlier run of the job left is removed.
  ///
  /// - Parameter includeResults: whether the children's results are of no use either once the job has
  ///   ended.
  func announce(_ keys: [ObjectKey], includeResults: Bool = false) async throws {
    if let earlier = try await queue.objects(of: job) {
      try await delete(Set(earlier.keys.map { try ObjectKey($0) }).subtracting(keys))
    }
    try await queue.note(MadeObjects(keys.map(\.text), includeResults: includeResults), of: job)
  }

  /// Stores a file, whose last component is that of `name`.
  func upload(
    _ file: URL, as name: String, progress: @escaping TransferProgress
  ) async throws {
    _ = try await bucket.upload(file, to: destination(of: name).destination, progress: progress)
  }

  /// Removes all that was announced. What cannot be removed now, as the results of children that are
  /// still at work, is left to the sweep.
  func remove() async {
    do {
      let made = try await queue.objects(of: job) ?? MadeObjects([])
      try await delete(made.keys.map { try ObjectKey($0) })
      if made.includeResults, try await !removeResults() {
        return try await queue.note(MadeObjects([], includeResults: true), of: job)
      }
      try await queue.forgetObjects(of: job)
    } catch {
      logger.warning(
        "cannot remove what a job made for its children",
        metadata: ["event": "objects_left", "job_id": "\(job)", "error": "\(error)"])
    }
  }

  private func destination(of name: String) -> (destination: UploadDestination, last: String) {
    let slash = name.lastIndex(of: "/")
    let folders = slash.map { "/" + name[..<$0] } ?? ""
    let last = slash.map { String(name[name.index(after: $0)...]) } ?? name
    return (UploadDestination(subdirectory: folder + folders, visibility: .internal), last)
  }

  /// - Returns: whether no more will come.
  private func removeResults() async throws -> Bool {
    let parent = try await queue.fields([Field.children], of: [job])[0]
    let keys = (parent?[Field.children] ?? "").split(separator: ",").map(String.init)
    let children = try await queue.fields([Field.status, Field.outputFileName], of: keys)
    try await delete(
      children.compactMap { child in
        guard let name = child?[Field.outputFileName], !name.isEmpty else { return nil }
        return try bucket.key(named: name)
      })
    return children.allSatisfy { child in
      child.map { JobStatus(rawValue: $0[Field.status] ?? "").isFinal } ?? true
    }
  }

  private func delete(_ keys: some Collection<ObjectKey>) async throws {
    try await forEachInOrder(Array(keys), atMost: Self.width) { [bucket] key in
      try await bucket.delete(key)
    }
  }
}

extension Consumer {
  /// Those of the job in hand.
  var intermediateObjects: IntermediateObjects {
    IntermediateObjects(
      of: run.job.key, origin: run.origin, context: context, logger: run.logger)
  }
}
