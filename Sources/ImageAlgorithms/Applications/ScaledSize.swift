import Arrays

/// The size an image is given before a model sees it.
struct ScaledSize {
  let rows: Int
  let columns: Int

  /// - Parameters:
  ///   - shape: `[batch, row, column, channel]`.
  ///   - factor: new pixels per old one; a job's `scale`, more than 0.
  ///   - rule: how fractions of a pixel are rounded.
  ///   - minimum: pixels along each axis when rounding would leave fewer.
  ///   - maximumPixels: most pixels one new image may have.
  ///   - maximumBatchPixels: most pixels all new images together may have.
  /// - Throws: ``ImageError`` when there would be no pixel or too many.
  init(
    of shape: Shape, factor: Double, rounded rule: FloatingPointRoundingRule,
    atLeast minimum: Double = 0, maximumPixels: Int, maximumBatchPixels: Int
  ) throws(ImageError) {
    let rows = max((Double(shape[1]) * factor).rounded(rule), minimum)
    let columns = max((Double(shape[2]) * factor).rounded(rule), minimum)
    guard rows >= 1, columns >= 1 else {
      throw ImageError(
        .invalidParameter,
        "scale \(factor.shortText) leaves nothing of an image of \(shape[1]) x \(shape[2]) pixels; choose a "
          + "larger scale")
    }
    guard rows * columns <= Double(maximumPixels),
      rows * columns * Double(shape[0]) <= Double(maximumBatchPixels)
    else {
      let count = shape[0] == 1 ? "an image" : "each of \(shape[0]) images"
      throw ImageError(
        .tooLarge,
        "scale \(factor.shortText) would turn \(count) of \(shape[1]) x \(shape[2]) pixels into one of "
          + "\(rows.rounded(.down).shortText) x \(columns.rounded(.down).shortText), which is too large; choose a smaller scale or crop "
          + "the image")
    }
    (self.rows, self.columns) = (Int(rows), Int(columns))
  }

  /// Refuses factors that are none.
  static func requireFactor(_ scale: Double) throws(ImageError) {
    guard scale > 0, scale.isFinite else {
      throw ImageError(.invalidParameter, "the scale must be more than 0, not \(scale)")
    }
  }
}

/// Images at the resolution of a model.
///
/// - Parameters:
///   - image: `[batch, row, column, channel]`.
///   - scale: micrometres per pixel of the image as a multiple of the model's.
///   - modelResolution: micrometres per pixel that the model was trained at.
///   - maximumPixels: see ``ScaledSize``.
///   - maximumBatchPixels: likewise.
func rescaled(
  _ image: NDArray<Float>, by scale: Double, modelResolution: Double, maximumPixels: Int,
  maximumBatchPixels: Int
) throws(ImageError) -> NDArray<Float> {
  try ScaledSize.requireFactor(scale)
  // Not `scale` itself: what it is after this multiplication decides the size.
  let imageResolution = scale * modelResolution
  if imageResolution == modelResolution { return image }
  let size = try ScaledSize(
    of: image.shape, factor: imageResolution / modelResolution, rounded: .towardZero,
    maximumPixels: maximumPixels, maximumBatchPixels: maximumBatchPixels)
  return try resized(image, rows: size.rows, columns: size.columns)
}

extension Double {
  /// `10`, not `10.0`.
  fileprivate var shortText: String {
    self == rounded() && abs(self) < 1e15 ? "\(Int(self))" : "\(self)"
  }
}
