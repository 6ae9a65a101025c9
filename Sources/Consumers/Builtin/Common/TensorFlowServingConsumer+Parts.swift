import Arrays
import Buckets
import FoundationEssentials
import ImageFiles
import JobQueue

/// A part of a job's image that a job of its own works on.
struct JobPart: Sendable {
  /// What its file's name ends in.
  let ending: String
  let queue: String
  /// Of its job, beside those that name the file.
  let fields: [String: String]
  /// `[..., row, column, 1]`
  let pixels: @Sendable () -> NDArray<Float>
}

/// What the consumers do alike whose jobs are made of others: parts of their image, put into the bucket
/// for a job each.
extension TensorFlowServingConsumer {
  /// Bytes of the image's name in those of its parts, so that their results' names are not too long.
  private static let longestName = 120
  /// Files moved at a time.
  private static let width = 4

  /// Puts parts into the bucket and lets a job work on each.
  ///
  /// - Parameter share: what their jobs are of this one's progress, in 0...1.
  /// - Returns: what `consume` is to return.
  func send(_ parts: [JobPart], of job: Job, share: Double) async throws -> JobStatus {
    let start = ContinuousClock.now
    let objects = intermediateObjects
    let last = job.originalName.split(separator: "/").last.map(String.init) ?? ""
    // The same in each execution.
    let id = Keys.digest(of: run.origin, by: "parts")
    let names = parts.map { "\(id)-\(last.prefix(bytes: Self.longestName))-\($0.ending)" }
    let keys = try names.map { try objects.key(named: $0) }
    try await untilRedisAnswers { try await objects.announce(keys, includeResults: true) }
    let place = try folder.subfolder("parts")
    try await forEachInOrder(Array(names.indices), atMost: Self.width) { [run] index in
      let file = place.appending(path: names[index])
      let written = try LabelFiles.save(
        parts[index].pixels(), name: String(index), in: place.path)
      try FileManager.default.moveItem(atPath: written[0], toPath: file.path)
      try await objects.upload(file, as: names[index]) { _ in run.beat() }
      try FileManager.default.removeItem(atPath: file.path)
      run.beat()
    }
    try await updateKey(job, [Field.childrenUploadTime: (.now - start).secondsText])
    let children = parts.indices.map { index in
      JobSubmission(
        queue: parts[index].queue, originalName: names[index], inputFileName: keys[index].text,
        fields: parts[index].fields.merging([Field.url: context.bucket.url(for: keys[index])]) {
          $1
        })
    }
    return try park(children, .failFast, share: share)
  }

  /// - Parameters:
  ///   - share: as for ``send(_:of:share:)``.
  ///   - failing: what could not be done when the child of an index failed.
  /// - Returns: what `consume` returns if children have not ended.
  /// - Throws: ``JobError`` that says which one failed, and why.
  func waiting(
    for children: [ChildResult], share: Double, failing: (Int) -> String
  ) throws -> JobStatus? {
    for (index, child) in children.enumerated() {
      guard let failure = child.failure else { continue }
      let code = child[Field.errorCode].flatMap(JobError.Code.init) ?? .internal
      // What has failed for good stays so when this job is tried again.
      throw JobError(
        code, "\(failing(index)): " + failure.split(separator: "\n").joined(separator: " "), .input)
    }
    let unfinished = children.filter { !$0.hasEnded }
    return unfinished.isEmpty
      ? nil : try park(untilEnded: unfinished.map(\.key), .failFast, share: share)
  }

  /// Uploads the job's results, then removes what they were made from.
  ///
  /// - Returns: that the job is done.
  func deliver(
    _ files: [URL], of job: Job, madeFrom children: [ChildResult]
  ) async throws -> JobStatus {
    let stored = try await upload(zip(files))
    if !children.isEmpty {
      // Without its parts the work cannot be done again, so what came of it must be known first.
      try await keep(stored)
      await intermediateObjects.remove()
      try await expireChildren()
    }
    return try await tell(stored, of: job)
  }

  /// Does the work, and removes the job's parts and what came of them if it fails for good.
  func removingPartsOnFailure(
    _ body: () async throws -> JobStatus
  ) async throws -> JobStatus {
    do {
      return try await body()
    } catch {
      // Of a job that runs again, or is another worker's by now, they are still needed.
      if run.stopCause == nil, !Task.isCancelled, JobError(error).failureClass == .input {
        await intermediateObjects.remove()
      }
      throw error
    }
  }

  /// Another one when an operator lets the job run again after its end.
  private var resultName: String { Keys.digest(of: run.origin, by: "result") }

  /// Remembers where the result is, so that the job can end after its parts are gone.
  private func keep(_ stored: StoredObject) async throws {
    try await store(Array("\(stored.key)\n\(stored.url)".utf8), as: resultName)
  }

  /// The result of an earlier execution that could not write its end; nil if there is none.
  func keptResult() async throws -> StoredObject? {
    guard run.isResumed, let bytes = try await fetch(resultName) else { return nil }
    let lines = String(decoding: bytes, as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false)
    return lines.count == 2 ? StoredObject(key: String(lines[0]), url: String(lines[1])) : nil
  }
}

extension String {
  /// The beginning, in whole characters.
  fileprivate func prefix(bytes limit: Int) -> String {
    var text = self
    while text.utf8.count > limit { text.removeLast() }
    return text
  }
}
