import Arrays
import Buckets
import FoundationEssentials
import ImageFiles
import JobQueue

/// Frames that are segmented by jobs of their own.
extension TrackingConsumer {
  /// Files moved at a time.
  private static let width = 4
  /// What the segmentation of the frames is of the progress.
  static let share = 0.7

  /// Puts the frames into the bucket and lets a job segment each.
  ///
  /// - Parameter frames: `[frame, row, column, 1]`.
  func segment(_ frames: NDArray<Float>, _ job: Job) async throws -> JobStatus {
    let parts = (0..<frames.shape[0]).map { frame in
      JobPart(
        ending: "tracking-frame-\(frame).tif", queue: context.settings.segmentationQueue,
        fields: [Field.channels: "0,,", Field.dimensionOrder: "XY"]
      ) { frames.slice(frame) }
    }
    return try await send(parts, of: job, share: Self.share)
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
