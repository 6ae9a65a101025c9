import Arrays
import Buckets
import FoundationEssentials
import ImageFiles
import JobQueue

/// The image that a job is about, read once and only when asked for.
struct JobImage {
  private let job: Job
  private let bucket: any Bucket
  private let temporaryFolder: String
  private let localInput: String?
  private var outcome: Result<AnyNDArray, any Error>?

  private static let limits = DecodingLimits(bytes: 4 << 30)

  /// - Parameter localInput: its path, if it is on this machine; else the bucket's is taken.
  init(of job: Job, bucket: any Bucket, temporaryFolder: String, localInput: String?) {
    self.job = job
    self.bucket = bucket
    self.temporaryFolder = temporaryFolder
    self.localInput = localInput
  }

  /// One frame of the channel that a label image was made of.
  ///
  /// - Returns: `[row, column]`
  mutating func plane(of file: LabelFile) async throws -> NDArray<Float> {
    try await plane(frame: file.frame, channel: channel(of: file.feature))
  }

  /// - Returns: `[row, column]`
  /// - Throws: ``KioskError`` for a frame that is not there: another one would look right.
  mutating func plane(frame: Int, channel: Int) async throws -> NDArray<Float> {
    let image = try await pixels()
    let plane = try inputPlane(of: image, frame: frame, channel: channel)
    guard frame < plane.frames else {
      throw KioskError(
        .jobFailed, "the image of shape \(image.shape.tupleDescription) has no frame \(frame)")
    }
    return try plane.pixels(of: image)
  }

  mutating func channelCount() async throws -> Int {
    try inputPlane(of: try await pixels(), frame: 0, channel: 0).channels
  }

  private func inputPlane(of image: AnyNDArray, frame: Int, channel: Int) throws -> InputPlane {
    try InputPlane(
      shape: image.shape, order: job.dimensionOrder ?? job[Field.dimOrder], frame: frame,
      channel: channel)
  }

  private mutating func pixels() async throws -> AnyNDArray {
    if let outcome { return try outcome.get() }
    do {
      let image = try await read()
      outcome = .success(image)
      return image
    } catch {
      // Not asked for again: it would fail in the same way for the next label image.
      outcome = .failure(error)
      throw error
    }
  }

  private func read() async throws -> AnyNDArray {
    let name = job.originalName
    guard !job.isArchive else { throw KioskError(.jobFailed, "its image is inside an archive") }
    let path: String
    if let localInput {
      path = localInput
    } else {
      path = try await bucket.download(
        bucket.key(named: job.inputFileName),
        into: URL(filePath: temporaryFolder, directoryHint: .isDirectory),
        limit: Self.limits.bytes, progress: { _ in }
      ).path
    }
    return try ImageFile.decode(contentsOf: path, name: name, limits: Self.limits).pixels
  }

  /// `channels` has a place for each application; those left empty made no label image.
  private func channel(of feature: Int) -> Int {
    let chosen = (job.channels ?? "").split(separator: ",").compactMap { Int($0) }
    return feature < chosen.count ? chosen[feature] : chosen.first ?? 0
  }
}

extension Job {
  /// Whether it is about the images in a zip file.
  var isArchive: Bool { originalName.lowercased().hasSuffix(".zip") }
}
