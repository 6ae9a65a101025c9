import Arrays
import Buckets
import FoundationEssentials
import ImageFiles
import JobQueue
import Previews

/// Draws the cells of one job over its input, which is read once.
struct OverlayMaker {
  private let job: Job
  private let bucket: any Bucket
  private let temporaryFolder: String
  private let localInput: String?
  private var image: AnyNDArray?

  private static let limits = DecodingLimits(bytes: 4 << 30)

  init(job: Job, bucket: any Bucket, temporaryFolder: String, localInput: String?) {
    self.job = job
    self.bucket = bucket
    self.temporaryFolder = temporaryFolder
    self.localInput = localInput
  }

  /// The outlines of cells over the image they belong to, as a PNG file.
  ///
  /// - Parameter labels: `[row, column]` or `[..., row, column]`, of which the first is drawn.
  mutating func draw(_ labels: NDArray<Int32>, of file: LabelFile) async throws -> [UInt8] {
    let image = try await input()
    var first = labels
    while first.rank > 2 {
      guard first.shape[0] > 0 else { throw KioskError(.jobFailed, "it has no frames") }
      first = first.slice(0)
    }
    let plane = try InputPlane(
      shape: image.shape, order: job.dimensionOrder ?? job[Field.dimOrder], frame: file.frame,
      channel: channel(of: file.feature))
    let picture = try Overlay.outlines(of: first, over: try plane.pixels(of: image))
    return try PNGEncoder.encode(picture, name: "the picture")
  }

  private mutating func input() async throws -> AnyNDArray {
    if let image { return image }
    let name = job.originalName
    guard !name.lowercased().hasSuffix(".zip") else {
      throw KioskError(.jobFailed, "its image is inside an archive")
    }
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
    let pixels = try ImageFile.decode(contentsOf: path, name: name, limits: Self.limits).pixels
    image = pixels
    return pixels
  }

  /// `channels` has a place for each application; those left empty made no label image.
  private func channel(of feature: Int) -> Int {
    let chosen = (job.channels ?? "").split(separator: ",").compactMap { Int($0) }
    return feature < chosen.count ? chosen[feature] : chosen.first ?? 0
  }
}
