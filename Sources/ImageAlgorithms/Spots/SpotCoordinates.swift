import Arrays

/// Finds spots in what a model says of one image.
///
/// - Parameters:
///   - scores: `[row, column]`, finite: how likely a spot is at each pixel, 0...1.
///   - offsets: `[row, column, 2]`: how far a spot's centre is from the centre of its pixel, in rows and
///     in columns.
///   - threshold: 0...1; a spot's score is greater.
///   - minimumDistance: pixels, at least 1; see ``localMaxima(_:minimumDistance:threshold:excludesBorder:)``.
/// - Returns: `[spot, 2]`, row and column of each, in fractions of pixels, where 0 is the centre of the
///   first one; the most likely first, equal ones row by row. Pixels closer to the edge than
///   `minimumDistance` have none. `[0, 2]` without a spot.
/// - Throws: ``ImageError`` when shapes or the threshold do not allow it, a score is not finite, or the
///   offset of a spot is not.
/// - Source: deepcell-spots 0.3.2, `y_annotations_to_point_list_max`, to the bit given the same maps;
///   where there is no spot that gives an array of shape `(0,)`.
public func spotCoordinates(
  scores: NDArray<Float>, offsets: NDArray<Float>, threshold: Double = 0.95,
  minimumDistance: Int = 1
) throws(ImageError) -> NDArray<Double> {
  guard (0...1).contains(threshold) else {
    throw ImageError(
      .invalidParameter, "the threshold of spots must be from 0 to 1, not \(threshold)")
  }
  try requireShape(scores.shape + [2], of: offsets, named: "the spots' offsets")
  let peaks = try localMaxima(
    scores, minimumDistance: minimumDistance, threshold: Float(threshold))
  let columns = scores.shape[1]
  return try NDArray(uninitialized: [peaks.count, 2]) { (output) throws(ImageError) in
    try offsets.withUnsafeBuffer { (offsets) throws(ImageError) in
      for (index, peak) in peaks.enumerated() {
        let offset = 2 * (peak.row * columns + peak.column)
        guard offsets[offset].isFinite, offsets[offset + 1].isFinite else {
          throw ImageError(
            .notFinite, "the offset of the spot at row \(peak.row) is NaN or infinite")
        }
        output[2 * index] = Double(peak.row) + Double(offsets[offset])
        output[2 * index + 1] = Double(peak.column) + Double(offsets[offset + 1])
      }
    }
  }
}
