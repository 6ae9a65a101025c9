import Arrays

/// Marks the tops of hills that rise at least `h` above every way to a higher top.
///
/// - Parameters:
///   - image: `[row, column]`, finite.
///   - h: height, more than 0.
///   - radius: pixels; two pixels at most this far apart count as neighbours (a disk of radius 10
///     has 317 pixels), so a gap narrower than this does not part two hills.
/// - Returns: `[row, column]`, true on the tops; all false if no two pixels differ by `h`.
/// - Throws: ``ImageError`` when the rank is not 2, a parameter is out of range or a pixel is NaN or
///   infinite.
/// - Source: scikit-image 0.21, `morphology.h_maxima`, pixel by pixel, but not its way: see
///   ``HMaximaSearch``.
@specialized(where Pixel == Float)
@specialized(where Pixel == Double)
public func hMaxima<Pixel: RealPixel>(
  _ image: NDArray<Pixel>, h: Double, radius: Int
) throws(ImageError) -> NDArray<Bool> {
  try requireRank(2, of: image, named: "the image", axes: "row, column")
  try requireIndexable(image.shape)
  guard h > 0, h.isFinite else {
    throw ImageError(.invalidParameter, "h must be more than 0, not \(h)")
  }
  guard radius >= 0, radius <= 500 else {
    throw ImageError(.invalidParameter, "the radius must be 0 to 500 pixels, not \(radius)")
  }
  guard let extent = image.withUnsafeBuffer({ Extent(of: $0) }) else {
    throw ImageError(.notFinite, "the image contains NaN or infinite values")
  }
  let height = Pixel(rounding: h)
  var result = NDArray<Bool>(shape: image.shape)
  if image.count == 0 || height > extent.greatest - extent.least { return result }
  let search = HMaximaSearch(
    levels: HMaximaLevels(height: height), disk: .disk(radius), columns: image.shape[1])
  image.withUnsafeBuffer { image in
    result.withUnsafeMutableBuffer { search.mark(in: image, into: $0) }
  }
  return result
}

/// The arithmetic of h-maxima, in the precision of the image.
struct HMaximaLevels<Pixel: RealPixel> {
  let height: Pixel
  /// Keeps tops that are equal but for rounding from reconstructing each other.
  let tolerance: Pixel

  init(height: Pixel) {
    self.height = height
    tolerance = Pixel.significandBitCount > 30 ? 2e-15 : 2e-6
  }

  /// What a pixel of this value contributes to the reconstruction.
  @inline(__always) func seed(_ value: Pixel) -> Pixel {
    value - height - tolerance * abs(value)
  }

  /// The greatest reconstruction at which a pixel of this value is still a top:
  /// `value - ceiling >= height`, and not for the next number after it.
  @inline(__always) func ceiling(_ value: Pixel) -> Pixel {
    func isTop(_ reconstruction: Pixel) -> Bool { value - reconstruction >= height }
    var ceiling = value - height
    if !isTop(ceiling) { ceiling = ceiling.nextDown }
    guard isTop(ceiling.nextUp) else { return ceiling + 0 }
    // Only where the ceiling is close to 0, and numbers are much denser than around `value`.
    var isBelow = ceiling.orderedBits
    var isAbove = (ceiling + 2 * max(value.ulp, height.ulp)).orderedBits
    while isAbove - isBelow > 1 {
      let middle = isBelow + (isAbove - isBelow) / 2
      if isTop(Pixel(orderedBits: middle)) { isBelow = middle } else { isAbove = middle }
    }
    return Pixel(orderedBits: isBelow) + 0
  }
}
