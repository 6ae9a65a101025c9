import Arrays

/// Evens out the contrast of an image (CLAHE) and brings it to 0...1, as segmentation models want it.
///
/// - Parameters:
///   - image: `[batch, row, column, channel]`, finite. Each channel of each item is done by itself.
///   - kernelSize: rows and columns of the blocks that get a histogram of their own, 1...4096; nil for
///     an eighth of the image.
/// - Returns: the same shape; a channel that is constant becomes 0.
/// - Throws: ``ImageError`` when the rank is not 4, the kernel is out of range, a pixel is NaN or
///   infinite or the difference of two is; `CancellationError` between channels.
/// - Source: deepcell-toolbox 0.12.1, `histogram_normalization`, with scikit-image 0.21
///   `equalize_adapthist`, bit by bit. There a NaN makes the whole channel undefined.
public func histogramNormalization(
  _ image: NDArray<Float>, kernelSize: Int? = nil
) throws -> NDArray<Float> {
  try requireRank(4, of: image, named: "the image", axes: "batch, row, column, channel")
  if let kernelSize, !(1...4096).contains(kernelSize) {
    throw ImageError(
      .invalidParameter, "the kernel must have 1 to 4096 pixels, not \(kernelSize)")
  }
  let (rows, columns) = (image.shape[1], image.shape[2])
  let channels = image.shape[3]
  return try NDArray(uninitialized: image.shape) { output in
    try image.withUnsafeBuffer { input in
      guard !input.isEmpty else { return }
      let equalization = AdaptiveEqualization(
        rows: rows, columns: columns,
        kernelRows: kernelSize ?? max(rows / 8, 1), kernelColumns: kernelSize ?? max(columns / 8, 1)
      )
      let planes = Planes(count: rows * columns, channels: channels)
      for batch in 0..<image.shape[0] {
        for channel in 0..<channels {
          try Task.checkCancellation()
          let isValid = planes.transform(input, output, batch: batch, channel: channel) {
            equalization.apply(to: $0, into: $1)
          }
          guard isValid else {
            try requireFinitePixels(image)
            throw ImageError.pixelsTooFarApart(in: input)
          }
        }
      }
    }
  }
}

extension ImageError {
  /// Pixels whose differences are infinite.
  static func pixelsTooFarApart(in pixels: UnsafeBufferPointer<Float>) -> ImageError {
    ImageError(
      .notFinite,
      "the image's pixels reach from \(pixels.min() ?? 0) to \(pixels.max() ?? 0), too far apart "
        + "to compute with; divide them by a large number and send the image again")
  }
}
