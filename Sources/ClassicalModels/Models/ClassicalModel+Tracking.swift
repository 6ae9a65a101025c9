import Arrays

/// The models of tracking jobs: one describes each cell of a frame, the other tells which cells of the next
/// frame are the same or daughters.
extension ClassicalModel {
  private static let frameCells = Extent.any("cell")
  private static let features = Extent.fixed(CellFeatures.count)

  /// Cells of frames, which are the batch: crops of 32 x 32 pixels, area, perimeter and eccentricity,
  /// middles as row and column, and which are near each other (not 0). Cells without area are none.
  ///
  /// `embeddings` are ``CellFeatures``, `centroids` the middles as they came.
  static let trackingEncoder = ClassicalModel(
    "NuclearTrackingNE", version: 6,
    about: "describes cells of a movie by size, shape, looks and neighbours",
    inputs: [
      Tensor(name: "encoder_app_input", extents: [frameCells, 32, 32, 1]),
      Tensor(name: "encoder_morph_input", extents: [frameCells, 3]),
      Tensor(name: "encoder_centroid_input", extents: [frameCells, 2]),
      Tensor(name: "encoder_adj_input", extents: [frameCells, frameCells]),
    ],
    outputs: [
      Tensor(name: "centroids", extents: [frameCells, 2]),
      Tensor(name: "embeddings", extents: [frameCells, features]),
    ]
  ) { inputs in
    let (crops, shapes, centroids, adjacency) = (inputs[0], inputs[1], inputs[2], inputs[3])
    let embeddings = NDArray<Float>(
      shape: [shapes.shape[0], CellFeatures.count],
      elements: CellFeatures.describe(
        crops: crops, shapes: shapes, centroids: centroids, adjacency: adjacency
      ).flatMap(\.values))
    return [centroids, embeddings]
  }

  /// For each track and each cell of the next frame: how likely the cell is the same, another one, or
  /// a daughter.
  ///
  /// Tracks come with their last frames, the latest at the end.
  static let trackingInference = ClassicalModel(
    "NuclearTrackingInf", version: 6,
    about: "tells which cells of a movie go on or divide into which of the next frame",
    inputs: [
      Tensor(name: "current_embeddings", extents: [.any("frame"), .any("track"), features]),
      Tensor(name: "current_centroids", extents: [.any("frame"), .any("track"), 2]),
      Tensor(name: "future_embeddings", extents: [1, frameCells, features]),
      Tensor(name: "future_centroids", extents: [1, frameCells, 2]),
    ],
    outputs: [
      Tensor(name: "probabilities", extents: [1, .any("track"), frameCells, 3])
    ]
  ) { inputs in
    let tracks = TrackedCell.tracks(embeddings: inputs[0], centroids: inputs[1])
    let cells = TrackedCell.tracks(embeddings: inputs[2], centroids: inputs[3])
    return [try TrackLinker(tracks: tracks, cells: cells).probabilities()]
  }
}
