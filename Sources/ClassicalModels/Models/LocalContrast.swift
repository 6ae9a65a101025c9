import Arrays

/// Brings an image in any unit to 0...1, by what is around each pixel.
enum LocalContrast {
  /// Side of the windows, in cells of the coarse grid, that the darkest and the brightest are taken
  /// from.
  private static let envelopeWindow = 21
  /// Side of the windows those are smoothed by.
  private static let smoothingWindow = 9
  /// Contrast that counts as none, as a share of the values it is between.
  private static let leastShare: Float = 1e-4

  /// Values between the darkest and the brightest within some 60 pixels; 0 where both are the same.
  ///
  /// - Parameter image: `[row, column]`, finite.
  static func evened(_ image: NDArray<Float>) -> NDArray<Float> {
    let coarse = CoarseGrid(meanOf: image).values
    let darkest = LocalFilters.mean(
      LocalFilters.minimum(coarse, size: envelopeWindow), size: smoothingWindow)
    let brightest = LocalFilters.mean(
      LocalFilters.maximum(coarse, size: envelopeWindow), size: smoothingWindow)
    let range = combined(darkest, brightest) { dark, bright in
      let range = bright - dark
      return range > leastShare * max(abs(bright), abs(dark)) ? range : .infinity
    }
    let offset = CoarseGrid(values: darkest).interpolated(to: image.shape)
    let factor = CoarseGrid(values: range.map { 1 / $0 }).interpolated(to: image.shape)
    return combined(combined(image, offset) { $0 - $1 }, factor) { min(max($0 * $1, 0), 1) }
  }
}
