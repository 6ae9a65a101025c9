import Arrays

/// Maps the brightness of an image to 0...255 so that its structures can be seen: from the 1st to
/// the 99.8th percentile, linearly, and clamped beyond.
struct ContrastStretch {
  let black: Float
  let white: Float

  /// Chooses the range for an image; values that are no numbers do not count.
  init(_ image: NDArray<Float>) {
    var values = image.withUnsafeBuffer { $0.filter { $0.isFinite } }
    guard !values.isEmpty else {
      (black, white) = (0, 0)
      return
    }
    values.sort()
    black = Self.percentile(0.01, of: values)
    white = Self.percentile(0.998, of: values)
  }

  /// The value below which `share` of the values lie, interpolated between neighbours.
  private static func percentile(_ share: Double, of sorted: [Float]) -> Float {
    let position = share * Double(sorted.count - 1)
    let below = Int(position)
    let above = min(below + 1, sorted.count - 1)
    let weight = Float(position - Double(below))
    return sorted[below] * (1 - weight) + sorted[above] * weight
  }

  func callAsFunction(_ value: Float) -> UInt8 {
    guard white > black else { return value > black ? 255 : 0 }
    // Also false for NaN, which is shown black.
    guard value > black else { return 0 }
    return value >= white ? 255 : UInt8(((value - black) / (white - black) * 255).rounded())
  }
}
