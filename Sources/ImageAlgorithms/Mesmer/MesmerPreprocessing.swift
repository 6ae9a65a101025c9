import Arrays

/// Prepares images for Mesmer: cuts off the brightest pixels, then evens out the contrast.
///
/// - Parameters:
///   - image: `[batch, row, column, channel]`, finite. Each channel of each item is done by itself.
///   - percentile: ``percentileThreshold(_:percentile:)``.
///   - kernelSize: ``histogramNormalization(_:kernelSize:)``.
/// - Returns: the same shape, 0...1; a channel that is constant becomes 0.
/// - Throws: ``ImageError`` when the rank is not 4, a parameter is out of range or a pixel is not finite;
///   `CancellationError` between channels.
/// - Source: deepcell 0.12.10, `mesmer_preprocess`, bit by bit.
public func mesmerPreprocessed(
  _ image: NDArray<Float>, percentile: Double = 99.9, kernelSize: Int? = 128
) throws -> NDArray<Float> {
  try histogramNormalization(
    try percentileThreshold(image, percentile: percentile), kernelSize: kernelSize)
}
