import ArgumentParser
import Arrays
import ImageFiles
import Samples

/// What a synthetic image shows.
enum SampleKind: String, CaseIterable, ExpressibleByArgument {
  case nuclei, plate, tissue, movie, spots

  /// A file to be written.
  struct File {
    let name: String
    /// What is in it, for programs: image, labels, cells, nuclei, lineage or spots.
    let content: String
    /// What it tells of: nuclei, cells, tracks or spots.
    let objects: Int
    /// Writes it to a path where nothing is yet.
    let write: (String) throws -> Void
  }

  /// The images of a plate, by the names of their wells.
  private static let wells = ["A1", "A2", "B1", "B2"]

  var defaultSize: Int { self == .movie || self == .plate ? 256 : 512 }

  /// Images drawn at once.
  var imageCount: Int { self == .plate ? Self.wells.count : 1 }

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
    case .plate:
      let samples = try Self.wells.indices.map {
        try CellSample(
          seed: options.seed &+ $0, side: side, count: options.count ?? 40, radii: 8...13)
      }
      let count = samples.map { Self.count($0.labels) }.reduce(0, +)
      return [
        archive("", samples.map { AnyNDArray($0.counts) }, "image", count),
        archive("-labels", samples.map { AnyNDArray($0.labels) }, "labels", count),
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
    File(name: "\(rawValue)\(suffix).tif", content: content, objects: objects) { path in
      try OutputFile(path).write(Self.encoded(AnyNDArray(pixels)))
    }
  }

  /// - Parameter images: one for each well, each `[row, column]`.
  private func archive(
    _ suffix: String, _ images: [AnyNDArray], _ content: String, _ objects: Int
  ) -> File {
    let name = "\(rawValue)\(suffix).zip"
    return File(name: name, content: content, objects: objects) { path in
      let entries = try zip(Self.wells, images).map { well, image in
        ZipEntry(name: "\(well).tif", content: .bytes(try Self.encoded(image)))
      }
      try ZipWriter.write(entries, to: path, name: name)
    }
  }

  private static func encoded(_ image: AnyNDArray) throws -> [UInt8] {
    try LabelFiles.encode(image.reshaped(to: image.shape + [1]), channel: 0)
  }

  private func text(_ suffix: String, _ text: String, _ content: String, _ objects: Int) -> File {
    File(name: "\(rawValue)\(suffix)", content: content, objects: objects) { path in
      try OutputFile(path).write(Array(text.utf8))
    }
  }

  private static func stack(_ channels: [NDArray<Float>]) throws -> NDArray<Float> {
    try .concatenated(channels.map { $0.expandingDimensions(at: 0) })
  }

  /// How many labels there are.
  private static func count(_ labels: NDArray<Int32>) -> Int {
    labels.withUnsafeBuffer { Set($0).subtracting([0]).count }
  }
}
