import ArgumentParser
import Arrays
import ImageFiles
import Samples

/// What a synthetic image shows.
enum SampleKind: String, CaseIterable, ExpressibleByArgument {
  case nuclei, tissue, movie, spots

  /// A file to be written.
  struct File {
    let name: String
    /// What is in it, for programs: image, labels, cells, nuclei, lineage or spots.
    let content: String
    /// What it tells of: nuclei, cells, tracks or spots.
    let objects: Int
    let bytes: () throws -> [UInt8]
  }

  var defaultSize: Int { self == .movie ? 256 : 512 }

  /// Draws a sample.
  func files(_ options: SampleOptions) throws -> [File] {
    let side = options.size ?? defaultSize
    switch self {
    case .nuclei:
      let sample = try CellSample(
        seed: options.seed, side: side, count: options.count ?? 150, radii: 8...13)
      let count = Self.count(sample.labels)
      return [
        image("", sample.counts, "image", count), image("-labels", sample.labels, "labels", count),
      ]
    case .tissue:
      let sample = try TissueSample(seed: options.seed, side: side, count: options.count)
      let image = try Self.stack([sample.nuclearImage, sample.membraneImage])
      return [self.image("", image, "image", Self.count(sample.cells))] + truth(of: sample)
    case .movie:
      let sample = try MovieSample(
        seed: options.seed, side: side, frames: options.frames ?? 20, count: options.count ?? 40)
      let count = sample.tracks.count
      return [
        image("", sample.images, "image", count), image("-labels", sample.labels, "labels", count),
        text("-lineage.json", sample.lineage, "lineage", count),
      ]
    case .spots:
      let sample = try SpotSample(
        seed: options.seed, side: side, count: options.count ?? 300, hasTissue: options.cells)
      let channels =
        [sample.image]
        + (sample.tissue.map { [$0.nuclearImage, $0.membraneImage] } ?? [])
      let image = channels.count == 1 ? channels[0] : try Self.stack(channels)
      let count = sample.spots.count
      return [
        self.image("", image, "image", count), text(".csv", sample.table, "spots", count),
      ] + (sample.tissue.map(truth) ?? [])
    }
  }

  private func truth(of tissue: TissueSample) -> [File] {
    [
      image("-cells", tissue.cells, "cells", Self.count(tissue.cells)),
      image("-nuclei", tissue.nuclei, "nuclei", Self.count(tissue.nuclei)),
    ]
  }

  /// - Parameter pixels: `[row, column]` or `[page, row, column]`.
  private func image<Element>(
    _ suffix: String, _ pixels: NDArray<Element>, _ content: String, _ objects: Int
  ) -> File {
    File(name: "\(rawValue)\(suffix).tif", content: content, objects: objects) {
      let array = AnyNDArray(pixels.expandingDimensions(at: pixels.rank))
      return try LabelFiles.encode(array, channel: 0)
    }
  }

  private func text(_ suffix: String, _ text: String, _ content: String, _ objects: Int) -> File {
    File(name: "\(rawValue)\(suffix)", content: content, objects: objects) { Array(text.utf8) }
  }

  private static func stack(_ channels: [NDArray<Float>]) throws -> NDArray<Float> {
    try .concatenated(channels.map { $0.expandingDimensions(at: 0) })
  }

  /// How many labels there are.
  private static func count(_ labels: NDArray<Int32>) -> Int {
    labels.withUnsafeBuffer { Set($0).subtracting([0]).count }
  }
}
