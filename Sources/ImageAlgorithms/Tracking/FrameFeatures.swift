import Arrays

/// What a model is told of the cells of one frame.
///
/// - Source: deepcell-tracking 0.6.5, `get_image_features`.
public struct FrameFeatures: Sendable {
  /// The cells' labels, increasing; all else is in this order.
  public let labels: [Int32]
  /// `[cell, 2]`: mean row and column. In pictures cropped to a fixed size they are those in the frame
  /// once it has a margin as wide as a picture, which models of such pictures were trained on.
  public let centroids: NDArray<Float>
  /// `[cell, 3]`: area, perimeter, eccentricity.
  public let morphologies: NDArray<Float>
  /// `[cell, row, column, 1]`
  public let appearances: NDArray<Float>

  /// - Parameters:
  ///   - image: `[row, column]`.
  ///   - labels: the same shape, 0 or more; 0 is background. There may be none.
  /// - Throws: ``ImageError`` when the shapes are others, a label is negative or the size of pictures
  ///   is less than 1.
  public init(
    of image: NDArray<Float>, labels: NDArray<Int32>,
    appearance: AppearanceParameters = AppearanceParameters()
  ) throws(ImageError) {
    try requireRank(2, of: image, named: "the image", axes: "row, column")
    try requireShape(image.shape, of: labels, named: "the labels")
    let ranked = try RankedLabels(labels)
    self.labels = ranked.names
    guard appearance.size >= 1 else {
      throw ImageError(
        .invalidParameter, "a picture of a cell needs at least 1 row, not \(appearance.size)")
    }
    let measuring = FrameMeasures(
      ranks: ranked.ranks,
      cells: CellMeasures.all(in: ranked.ranks, count: ranked.names.count))
    centroids = measuring.centroids(appearance)
    let count = measuring.cells.count
    morphologies = NDArray(uninitialized: [count, 3]) { measuring.writeMorphologies(to: $0) }
    appearances = NDArray(uninitialized: [count, appearance.size, appearance.size, 1]) {
      measuring.writeAppearances(of: image, appearance, to: $0)
    }
  }
}

/// The cells of one frame, measured.
struct FrameMeasures {
  /// `[row, column]`, 0 for background.
  let ranks: NDArray<Int32>
  /// By their rank, from 1.
  let cells: [CellMeasures]

  /// `[cell, 2]`
  func centroids(_ appearance: AppearanceParameters) -> NDArray<Float> {
    let margin = appearance.cropMode == .fixed ? Double(appearance.size) : 0
    return NDArray(
      shape: [cells.count, 2],
      elements: cells.flatMap {
        [Float($0.centroid.row + margin), Float($0.centroid.column + margin)]
      })
  }

  /// `[cell, 3]`, into as much as there is of it.
  func writeMorphologies(to output: UnsafeMutableBufferPointer<Float>) {
    for (index, cell) in cells.enumerated() {
      output[3 * index] = Float(cell.area)
      output[3 * index + 1] = Float(cell.perimeter)
      output[3 * index + 2] = Float(cell.eccentricity)
    }
  }

  /// `[cell, row, column]`, into as much as there is of it.
  ///
  /// - Parameter image: `[row, column]`.
  func writeAppearances(
    of image: NDArray<Float>, _ parameters: AppearanceParameters,
    to output: UnsafeMutableBufferPointer<Float>
  ) {
    let size = parameters.size * parameters.size
    image.withUnsafeBuffer { pixels in
      ranks.withUnsafeBuffer { ranks in
        let crops = CellCrops(
          parameters: parameters, image: pixels, ranks: ranks, rows: image.shape[0],
          columns: image.shape[1])
        for (index, cell) in cells.enumerated() {
          crops.write(rank: index + 1, cell, to: output.baseAddress! + index * size)
        }
      }
    }
  }
}
