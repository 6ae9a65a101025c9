import Arrays

/// Cuts off the brightest pixels of each channel of each image.
///
/// - Parameters:
///   - image: `[batch, row, column, channel]`.
///   - percentile: 0...100; of the pixels that are not 0, those above it become it.
/// - Returns: the same shape. A channel of zeros stays so, and one with a NaN stays as it is.
/// - Throws: ``ImageError`` when the rank is not 4 or the percentile is out of range.
/// - Source: deepcell-toolbox 0.12.1, `percentile_threshold`, with numpy 1.23 `percentile` on 32-bit
///   floats, bit by bit.
public func percentileThreshold(
  _ image: NDArray<Float>, percentile: Double = 99.9
) throws(ImageError) -> NDArray<Float> {
  guard (0...100).contains(percentile) else {
    throw ImageError(.invalidParameter, "there is no percentile \(percentile)")
  }
  return try Planes.mapping(image) { values, result in
    let limit = upperLimit(of: values, percentile: percentile)
    // Not `min`: a limit that is NaN limits nothing.
    for i in values.indices { result[i] = values[i] > limit ? limit : values[i] }
  }
}

/// The percentile of all values but 0; infinity when there are none, NaN when one is.
private func upperLimit(of values: UnsafeBufferPointer<Float>, percentile: Double) -> Float {
  if values.contains(where: \.isNaN) { return .nan }
  let statistics = OrderStatistics(of: values, countsZeros: false)
  return statistics.count > 0 ? Float(statistics.percentile(percentile)) : .infinity
}
