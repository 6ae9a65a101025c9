import Arrays

/// What a model is sent of some images: tiles, some at a time.
struct TileBatches: Sendable {
  private let image: NDArray<Float>
  let tiling: Tiling
  /// Most tiles per call.
  private let size: Int

  /// - Parameters:
  ///   - image: of the tiling's shape.
  ///   - size: most tiles per call, at least 1.
  ///   - maximumValues: most pixels times channels per call, unless a single tile has more.
  init(_ image: NDArray<Float>, tiling: Tiling, size: Int, maximumValues: Int = .max) {
    self.image = image
    self.tiling = tiling
    let values = max(tiling.rows.tile * tiling.columns.tile * tiling.channels, 1)
    self.size = max(min(size, maximumValues / values), 1)
  }

  var count: Int { (tiling.count + size - 1) / size }

  /// `[tile, row, column, channel]`.
  func batch(_ index: Int) throws(ImageError) -> NDArray<Float> {
    precondition((0..<count).contains(index), "no batch \(index)")
    let start = index * size
    return try tiling.tiles(start..<min(start + size, tiling.count), of: image)
  }

  /// Refuses a model's answer unless it is one of as many tiles as the call had.
  ///
  /// - Parameter answered: how many tiles were answered before.
  func requireTiles(
    in head: AnyNDArray, after answered: Int
  ) throws(ImageError) {
    let expected = min(size, tiling.count - answered)
    guard head.rank > 0, head.shape[0] == expected else {
      throw ImageError(
        .unexpectedModelOutput,
        "the model answered an array of shape \(head.shape.tupleDescription) to a batch of "
          + "\(expected) tiles")
    }
  }
}

/// Most pixels times channels sent in one call of a model that takes images of any size, unless a single
/// tile has more.
let maximumValuesPerCall = 1 << 22

/// Refuses an image without pixels.
func requirePixels(_ image: NDArray<Float>) throws(ImageError) {
  guard image.count > 0 else {
    throw ImageError(
      .invalidDimensions, "an image of shape \(image.shape.tupleDescription) has no pixels")
  }
}

/// Refuses an image unless the model takes such.
///
/// - Parameters:
///   - image: `[batch, row, column, channel]`.
///   - modelShape: what the model declares, the same axes; -1 where any extent will do.
///   - batchSize: most tiles per call, at least 1.
func requireModelTakes(
  _ image: NDArray<Float>, modelShape: Shape, batchSize: Int
) throws(ImageError) {
  try requireRank(4, of: image, named: "the image", axes: "batch, row, column, channel")
  guard modelShape.count == 4 else {
    throw ImageError(
      .invalidDimensions,
      "the model takes inputs of shape \(modelShape.tupleDescription), not images with the axes "
        + "(batch, row, column, channel)")
  }
  guard modelShape[3] < 0 || image.shape[3] == modelShape[3] else {
    throw ImageError(
      .invalidChannels,
      "the model takes \(modelShape[3])-channel images, but this is a \(image.shape[3])-channel "
        + "image")
  }
  guard batchSize >= 1 else {
    throw ImageError(.invalidParameter, "a batch must have at least 1 tile, not \(batchSize)")
  }
}
