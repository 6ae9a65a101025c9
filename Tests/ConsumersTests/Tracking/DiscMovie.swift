import Arrays
import Foundation
import ImageAlgorithms
import ImageFiles

@testable import Consumers

/// A movie of bright discs: one moves, one divides before frame 3, and one is there in some frames only.
enum DiscMovie {
  static let frameCount = 5
  static let (rows, columns) = (72, 80)

  /// `[frame, row, column]`
  static func frames(empty: Set<Int> = [], count: Int = frameCount) -> NDArray<Float> {
    var frames = NDArray<Float>(shape: [count, rows, columns])
    for frame in 0..<count {
      var centres = [(15 + frame, 15)]
      centres += frame < 3 ? [(50, 30)] : [(50, 22 - frame), (50, 38 + frame)]
      if frame != 2 { centres.append((20, 60)) }
      if empty.contains(frame) { centres = [] }
      for row in 0..<rows {
        for column in 0..<columns {
          let isInside = centres.contains { centre in
            let (y, x) = (row - centre.0, column - centre.1)
            return y * y + x * x <= 36
          }
          frames[frame, row, column] = isInside ? 900 : Float((row * 7 + column * 3) % 40)
        }
      }
    }
    return frames
  }

  static func tiff(_ frames: NDArray<Float> = frames()) throws -> Data {
    Data(try LabelFiles.encode(AnyNDArray(frames.expandingDimensions(at: frames.rank)), channel: 0))
  }

  /// The discs, each frame numbered for itself: `[frame, row, column, 1]`.
  static func labels(_ frames: NDArray<Float> = frames()) throws -> NDArray<Int32> {
    let labels = try (0..<frames.shape[0]).map {
      try connectedComponents(frames.slice($0).map { $0 > 500 }, connectivity: .four).labels
        .expandingDimensions(at: 0)
    }
    return try NDArray.concatenated(labels).expandingDimensions(at: 3)
  }

  static func trackFile(raw: AnyNDArray? = nil, tracked: AnyNDArray? = nil) throws -> Data {
    let folder = FileManager.default.temporaryDirectory.appending(path: "trk-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = try TrackFile.write(
      raw: raw ?? AnyNDArray(frames().expandingDimensions(at: 3)),
      tracked: tracked ?? AnyNDArray(labels()), lineage: "{}", name: "movie", in: folder.path)
    return try Data(contentsOf: URL(filePath: path))
  }

  /// What the models make of labels.
  static func tracked(
    _ labels: NDArray<Int32>, raw: NDArray<Float> = frames()
  ) async throws -> TrackedMovie {
    var tracker = try CellTracker(raw: raw.expandingDimensions(at: 3), labels: labels)
    try await tracker.describe { sent in
      PositionModels.describe([
        "encoder_centroid_input": sent.centroids, "encoder_morph_input": sent.morphologies,
      ])["embeddings"] ?? sent.centroids
    }
    try await tracker.link { sent in
      PositionModels.compare([
        "current_embeddings": sent.currentEmbeddings, "future_embeddings": sent.futureEmbeddings,
      ])["prediction"] ?? sent.futureCentroids
    }
    return tracker.result()
  }
}
