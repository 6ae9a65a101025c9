import Arrays
import Buckets
import FoundationEssentials
import ImageFiles
import JobQueue

/// The images that a job is about: one, or those of an archive. Each is read only when asked for, and
/// once as long as no other is.
struct JobImage {
  private let job: Job
  private let bucket: any Bucket
  private let temporaryFolder: String
  private let localInput: String?
  private var input: Result<String, any Error>?
  private var archive: Result<ImageArchive, any Error>?
  /// The image read last, by its name in an archive.
  private var last: (name: String, image: Result<AnyNDArray, any Error>)?

  private static let limits = DecodingLimits(bytes: 4 << 30)

  /// - Parameter localInput: its path, if it is on this machine; else the bucket's is taken.
  init(of job: Job, bucket: any Bucket, temporaryFolder: String, localInput: String?) {
    self.job = job
    self.bucket = bucket
    self.temporaryFolder = temporaryFolder
    self.localInput = localInput
  }

  /// One frame of the channel that a label image was made of, or of both if there were two.
  ///
  /// - Parameter frames: how many frames of the label image come before it.
  /// - Returns: one or two of `[row, column]`.
  mutating func planes(of file: LabelFile, after frames: Int) async throws -> [NDArray<Float>] {
    var channels = [channel(of: file.feature)]
    if file.isOfAllChannels {
      let chosen = chosenChannels
      let all = chosen.isEmpty ? Array(0..<(try await channelCount(of: file))) : chosen
      if all.count == 2 { channels = all }
    }
    var planes: [NDArray<Float>] = []
    for channel in channels {
      planes.append(try await plane(of: file, frame: file.frame + frames, channel: channel))
    }
    return planes
  }

  /// One frame of a channel of the image that a label image belongs to.
  ///
  /// - Returns: `[row, column]`
  /// - Throws: ``KioskError`` for a frame that is not there: another one would look right.
  mutating func plane(
    of file: LabelFile, frame: Int, channel: Int
  ) async throws -> NDArray<Float> {
    let image = try await pixels(of: file)
    let plane = try inputPlane(of: image, file, frame: frame, channel: channel)
    guard frame < plane.frames else {
      throw KioskError(
        .jobFailed, "the image of shape \(image.shape.tupleDescription) has no frame \(frame)")
    }
    return try plane.pixels(of: image)
  }

  mutating func channelCount(of file: LabelFile) async throws -> Int {
    try inputPlane(of: try await pixels(of: file), file, frame: 0, channel: 0).channels
  }

  private func inputPlane(
    of image: AnyNDArray, _ file: LabelFile, frame: Int, channel: Int
  ) throws -> InputPlane {
    // A movie and its labels look alike; the frames of a short one are no channels.
    let isMovie = image.rank == 3 && image.shape == file.shape
    return try InputPlane(
      shape: image.shape,
      order: job.dimensionOrder ?? job[Field.dimOrder] ?? (isMovie ? "BXY" : nil), frame: frame,
      channel: channel)
  }

  private mutating func pixels(of file: LabelFile) async throws -> AnyNDArray {
    let name = job.isArchive ? file.imageName : ""
    if let last, last.name == name { return try last.image.get() }
    do {
      let image = try await read(name)
      last = (name, .success(image))
      return image
    } catch {
      // Not asked for again: it would fail in the same way for the next label image.
      last = (name, .failure(error))
      throw error
    }
  }

  /// - Parameter name: of an image in an archive, without its ending.
  private mutating func read(_ name: String) async throws -> AnyNDArray {
    if input == nil {
      do { input = .success(try await fetchInput()) } catch { input = .failure(error) }
    }
    guard let path = try input?.get() else { throw CancellationError() }
    guard job.isArchive else {
      return try ImageFile.decode(contentsOf: path, name: job.originalName, limits: Self.limits)
        .pixels
    }
    if archive == nil {
      archive = Result { try ImageArchive(path: path, name: job.originalName) }
    }
    guard let archive = try archive?.get() else { throw CancellationError() }
    return try archive.image(called: name, limits: Self.limits, temporaryFolder: temporaryFolder)
  }

  private func fetchInput() async throws -> String {
    if let localInput { return localInput }
    return try await bucket.download(
      bucket.key(named: job.inputFileName),
      into: URL(filePath: temporaryFolder, directoryHint: .isDirectory),
      limit: Self.limits.bytes, progress: { _ in }
    ).path
  }

  /// `channels` has a place for each application; those left empty made no label image.
  private func channel(of feature: Int) -> Int {
    let chosen = chosenChannels
    return feature < chosen.count ? chosen[feature] : chosen.first ?? 0
  }

  private var chosenChannels: [Int] {
    (job.channels ?? "").split(separator: ",").compactMap { Int($0) }
  }
}

extension Job {
  /// Whether it is about the images in a zip file.
  var isArchive: Bool { originalName.lowercased().hasSuffix(".zip") }
}
