import Arrays
import Buckets
import FoundationEssentials
import ImageFiles
import JobQueue

/// Frames that are segmented by jobs of their own.
extension TrackingConsumer {
  /// Files moved at a time.
  private static let width = 4
  /// Bytes of the movie's name in those of its frames, so that their results' names are not too long.
  private static let longestName = 120

  /// Puts the frames into the bucket and lets a job segment each.
  ///
  /// - Parameter frames: `[frame, row, column, 1]`.
  func segment(_ frames: NDArray<Float>, _ job: Job) async throws -> JobStatus {
    let start = ContinuousClock.now
    let objects = intermediateObjects
    let names = frameNames(count: frames.shape[0], of: job)
    let keys = try names.map { try objects.key(named: $0) }
    try await untilRedisAnswers { try await objects.announce(keys) }
    let place = try folder.subfolder("frames").path
    try await forEachInOrder(Array(names.indices), atMost: Self.width) { [run] frame in
      let bytes = try LabelFiles.encode(AnyNDArray(frames.slice(frame)), channel: 0)
      let file = try LabelFiles.save(bytes, name: names[frame], in: place)
      try await objects.upload(URL(filePath: file), as: names[frame]) { _ in run.beat() }
      try FileManager.default.removeItem(atPath: file)
      run.beat()
    }
    try await updateKey(job, [Field.childrenUploadTime: (.now - start).secondsText])
    let children = Swift.zip(names, keys).map { name, key in
      JobSubmission(
        queue: context.settings.segmentationQueue, originalName: name, inputFileName: key.text,
        fields: [
          Field.channels: "0,,", Field.dimensionOrder: "XY",
          Field.url: context.bucket.url(for: key),
        ])
    }
    return try park(children, .failFast)
  }

  private func frameNames(count: Int, of job: Job) -> [String] {
    let last = job.originalName.split(separator: "/").last.map(String.init) ?? ""
    let name = last.prefix(bytes: Self.longestName)
    let id = Keys.digest(of: run.origin, by: "frames")
    return (0..<count).map { "\(id)-\(name)-tracking-frame-\($0).tif" }
  }

  /// - Returns: what `consume` returns if jobs of frames have not ended.
  /// - Throws: ``JobError`` that says which one failed, and why.
  func waiting(for children: [ChildResult], of job: Job) throws -> JobStatus? {
    for (frame, child) in children.enumerated() {
      guard let failure = child.failure else { continue }
      let code = child[Field.errorCode].flatMap(JobError.Code.init) ?? .internal
      // What has failed for good stays so when this job is tried again.
      throw JobError(
        code,
        "frame \(frame) of \(job.originalName.forReason), counted from 0, could not be segmented: "
          + failure.split(separator: "\n").joined(separator: " "),
        .input)
    }
    let unfinished = children.filter { !$0.hasEnded }
    return unfinished.isEmpty ? nil : try park(untilEnded: unfinished.map(\.key), .failFast)
  }

  /// The labels that the frames' jobs found: `[frame, row, column, 1]`.
  ///
  /// - Parameter frames: of the same shape.
  func labels(of children: [ChildResult], frames: NDArray<Float>) async throws -> NDArray<Int32> {
    guard children.count == frames.shape[0] else {
      throw JobError(
        .internal, "there are \(children.count) jobs for the \(frames.shape[0]) frames of the movie"
      )
    }
    var labels = NDArray<Int32>(shape: frames.shape)
    let (plane, size) = (Array(frames.shape[1...2]), frames.shape[1] * frames.shape[2])
    let place = try folder.subfolder("labels")
    try await stage(.download) {
      var frame = 0
      try await forEachInOrder(Array(children.enumerated()), atMost: Self.width) {
        [context, limits = decodingLimits] index, child in
        try await FrameResult(child, in: place.appending(path: String(index)))
          .labels(of: plane, context, limits)
      } take: { found in
        run.beat()
        labels.withUnsafeMutableBuffer { output in
          found.withUnsafeBuffer { _ = output[(frame * size)...].update(fromContentsOf: $0) }
        }
        frame += 1
      }
    }
    return labels
  }

  /// Removes the frames and what came of them. What cannot be removed now is left to others.
  func removeParts(_ children: [ChildResult]) async {
    await intermediateObjects.remove()
    let results = children.compactMap { $0[Field.outputFileName] }
    do {
      try await forEachInOrder(results, atMost: Self.width) { [context] name in
        try await context.bucket.delete(context.bucket.key(named: name))
      }
    } catch {
      run.logger.warning(
        "cannot remove the results of a job's children",
        metadata: ["event": "objects_left", "error": "\(error)"])
    }
  }
}

/// What the job of one frame gave.
private struct FrameResult {
  let name: String
  /// Its key in the bucket.
  let output: String
  let folder: URL

  init(_ child: ChildResult, in folder: URL) throws {
    name = child[Field.originalName] ?? child.key
    guard let output = child[Field.outputFileName] else {
      throw JobError(.internal, "the job of \(name.forReason) is done but names no result")
    }
    self.output = output
    self.folder = folder
  }

  /// - Parameter shape: `[row, column]`, which the labels must have but for axes of length 1.
  func labels(
    of shape: Shape, _ context: ConsumerContext, _ limits: DecodingLimits
  ) async throws -> NDArray<Int32> {
    let file = try await context.bucket.download(
      context.bucket.key(named: output), into: folder, limit: context.settings.maximumInputBytes
    ) { _ in }
    defer { try? FileManager.default.removeItem(at: folder) }  // else it goes with the job's folder
    let archive = try ZipReader(path: file.path, name: "the result of \(name)")
    let images = archive.members.filter { $0.name.hasSuffix(".tif") }
    guard images.count == 1, let image = images.first else {
      throw JobError(
        .internal, "the result of \(name.forReason) has \(images.count) label images, not one")
    }
    let bytes = try archive.bytes(of: image, limit: limits.bytes)
    let labels = try ImageFile.decode(bytes, name: image.name, limits: limits).pixels
    guard labels.shape.filter({ $0 != 1 }) == shape.filter({ $0 != 1 }) else {
      throw JobError(
        .internal,
        "the labels of \(name.forReason) have the shape \(labels.shape.tupleDescription), not that of "
          + "the frame, \(shape.tupleDescription)")
    }
    return labels.converted(to: Int32.self)
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
