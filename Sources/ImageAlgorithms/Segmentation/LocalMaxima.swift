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
  let (rows, columns) = (image.shape[0], image.shape[1])
  let greatest = greatest(of: image, in: .square(minimumDistance))
  var candidates: [(value: Pixel, index: Int)] = []
  let margin = excludesBorder ? minimumDistance : 0
  let isFlat = image.withUnsafeBuffer { image in
    greatest.withUnsafeBuffer { greatest in
      var isFlat = true
      for i in image.indices {
        if image[i] != greatest[i] {
          isFlat = false
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
  if isFlat { return [] }
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
