import Arrays

/// Brings each channel of each image to 0...1.
///
/// - Parameters:
///   - image: `[batch, row, column, channel]`.
///   - clips: whether the darkest 0.01 % and the brightest 0.1 % of the pixels are cut off first.
/// - Returns: the same shape. A channel that is constant or has a NaN becomes NaN.
/// - Throws: ``ImageError`` when the rank is not 4.
/// - Source: deepcell-spots 0.3.2, `min_max_normalize`, in 32-bit floats.
public func minMaxNormalized(
  _ image: NDArray<Float>, clips: Bool = false
) throws(ImageError) -> NDArray<Float> {
  try Planes.mapping(image) { normalize($0, into: $1, clips: clips) }
}

private func normalize(
  _ values: UnsafeBufferPointer<Float>, into result: UnsafeMutablePointer<Float>, clips: Bool
) {
  guard !values.contains(where: \.isNaN) else {
    result.update(repeating: .nan, count: values.count)
    return
  }
  var (least, greatest) = (Float.infinity, -Float.infinity)
  for value in values {
    least = min(least, value)
    greatest = max(greatest, value)
  }
  if clips {
    let statistics = OrderStatistics(of: values, countsZeros: true)
    // No pixel is beyond its limits after this, so they are the new extremes.
    least = Float(statistics.percentile(0.01))
    greatest = Float(statistics.percentile(99.9))
  }
  let range = greatest - least
  for i in values.indices {
    let value = clips ? min(max(values[i], least), greatest) : values[i]
    result[i] = (value - least) / range
  }
}
