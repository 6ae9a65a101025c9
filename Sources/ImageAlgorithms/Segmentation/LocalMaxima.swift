import Arrays

/// A pixel that is the greatest in its surroundings.
public struct Peak: Sendable, Hashable {
  public let row: Int
  public let column: Int

  public init(row: Int, column: Int) {
    self.row = row
    self.column = column
  }
}

/// Finds pixels that are the greatest within some distance.
///
/// - Parameters:
///   - image: `[row, column]`, finite.
///   - minimumDistance: pixels, at least 1; how far around a peak (in rows and in columns) nothing is
///     greater, and how far apart two peaks are at least.
///   - threshold: a peak is greater than this.
///   - excludesBorder: leaves out peaks closer to the edge than `minimumDistance`.
/// - Returns: the greatest first, equal ones row by row. Of a plateau all pixels are peaks if
///   `minimumDistance` is 1, else the first one within reach of each other. None if every pixel is
///   the greatest of its surroundings.
/// - Throws: ``ImageError`` when the rank is not 2, a pixel is not finite or the distance is not in
///   1...500.
/// - Source: scikit-image 0.21, `feature.peak_local_max`; the order of equal peaks, arbitrary there, is
///   that of rows and columns here.
@specialized(where Pixel == Float)
@specialized(where Pixel == Double)
public func localMaxima<Pixel: RealPixel>(
  _ image: NDArray<Pixel>, minimumDistance: Int = 1, threshold: Pixel, excludesBorder: Bool = true
) throws(ImageError) -> [Peak] {
  try requireSearchable(image, minimumDistance: minimumDistance)
  return peaks(
    of: image, minimumDistance: minimumDistance, threshold: threshold,
    margin: excludesBorder ? minimumDistance : 0, isInside: { _ in true }, isolated: nil)
}

/// ``localMaxima(_:minimumDistance:threshold:excludesBorder:)`` of the pixels of a mask only, as if all
/// others were minus infinity.
///
/// - Parameters:
///   - image: `[row, column]`, finite.
///   - mask: `[row, column]`.
///   - minimumDistance: see there.
///   - threshold: see there.
/// - Returns: as there, but if every pixel of the mask is the greatest of its surroundings: those at which
///   the mask is less than three pixels high or wide.
/// - Throws: see there; also when the shapes differ.
/// - Source: scikit-image 0.21, `feature.peak_local_max` with the mask as its one label and without
///   a border.
func localMaxima(
  _ image: NDArray<Float>, within mask: NDArray<Bool>, minimumDistance: Int, threshold: Float
) throws(ImageError) -> [Peak] {
  try requireSearchable(image, minimumDistance: minimumDistance)
  try requireShape(image.shape, of: mask, named: "the mask")
  return mask.withUnsafeBuffer { mask in
    let masked = NDArray<Float>(uninitialized: image.shape) { output in
      image.withUnsafeBuffer { image in
        for i in image.indices { output[i] = mask[i] ? image[i] : -.infinity }
      }
    }
    return peaks(
      of: masked, minimumDistance: minimumDistance, threshold: threshold, margin: 0,
      isInside: { mask[$0] },
      isolated: { isThin(mask, rows: image.shape[0], columns: image.shape[1], at: $0) })
  }
}

/// Whether no cross of five pixels of the mask covers a pixel of it.
private func isThin(
  _ mask: UnsafeBufferPointer<Bool>, rows: Int, columns: Int, at index: Int
) -> Bool {
  let steps = [(0, 0), (-1, 0), (0, -1), (0, 1), (1, 0)]
  func isSet(_ row: Int, _ column: Int) -> Bool {
    row >= 0 && column >= 0 && row < rows && column < columns && mask[row * columns + column]
  }
  let (row, column) = (index / columns, index % columns)
  return isSet(row, column)
    && !steps.contains { dy, dx in
      steps.allSatisfy { y, x in isSet(row + dy + y, column + dx + x) }
    }
}

/// Refuses images peaks cannot be looked for in.
@inline(__always)
private func requireSearchable<Pixel: RealPixel>(
  _ image: NDArray<Pixel>, minimumDistance: Int
) throws(ImageError) {
  try requireRank(2, of: image, named: "the image", axes: "row, column")
  try requireIndexable(image.shape)
  guard (1...500).contains(minimumDistance) else {
    throw ImageError(
      .invalidParameter,
      "the distance between peaks must be 1 to 500 pixels, not \(minimumDistance)")
  }
  guard image.withUnsafeBuffer({ Extent(of: $0) }) != nil else {
    throw ImageError(.notFinite, "the image contains NaN or infinite values")
  }
}

/// - Parameters:
///   - margin: leaves out peaks closer to the edge.
///   - isInside: which pixels decide whether the image is flat.
///   - isolated: which pixels are peaks if it is; nil if none are.
@inline(__always)
private func peaks<Pixel: RealPixel>(
  of image: NDArray<Pixel>, minimumDistance: Int, threshold: Pixel, margin: Int,
  isInside: (Int) -> Bool, isolated: ((Int) -> Bool)?
) -> [Peak] {
  let (rows, columns) = (image.shape[0], image.shape[1])
  let greatest = greatest(of: image, in: .square(minimumDistance))
  var candidates: [(value: Pixel, index: Int)] = []
  let isFlat = image.withUnsafeBuffer { image in
    greatest.withUnsafeBuffer { greatest in
      var isFlat = true
      for i in image.indices {
        if image[i] != greatest[i] {
          if isInside(i) { isFlat = false }
        } else if image[i] > threshold {
          let (row, column) = (i / columns, i % columns)
          if row >= margin, column >= margin, row < rows - margin, column < columns - margin {
            candidates.append((image[i], i))
          }
        }
      }
      return isFlat
    }
  }
  if isFlat {
    guard let isolated else { return [] }
    candidates.removeAll { !isolated($0.index) }
  }
  candidates.sort { $0.value != $1.value ? $0.value > $1.value : $0.index < $1.index }
  var spacing = Spacing(distance: minimumDistance, rows: rows, columns: columns)
  return candidates.compactMap { _, index in
    let peak = Peak(row: index / columns, column: index % columns)
    return spacing.accept(peak) ? peak : nil
  }
}

/// Keeps peaks apart: one that is closer than `distance` to an accepted one, in rows and in columns,
/// is refused.
private struct Spacing {
  let distance: Int
  /// The image in squares of `distance`; two accepted peaks never share one.
  private var squares: [Peak?]
  private let width: Int
  private let height: Int

  init(distance: Int, rows: Int, columns: Int) {
    self.distance = distance
    width = columns / distance + 1
    height = rows / distance + 1
    // With a distance of 1 nothing is ever refused, and no memory is needed.
    squares = distance == 1 ? [] : Array(repeating: nil, count: width * height)
  }

  mutating func accept(_ peak: Peak) -> Bool {
    if distance == 1 { return true }
    let (row, column) = (peak.row / distance, peak.column / distance)
    for y in max(row - 1, 0)...min(row + 1, height - 1) {
      for x in max(column - 1, 0)...min(column + 1, width - 1) {
        if let other = squares[y * width + x],
          abs(other.row - peak.row) < distance, abs(other.column - peak.column) < distance
        {
          return false
        }
      }
    }
    squares[row * width + column] = peak
    return true
  }
}
