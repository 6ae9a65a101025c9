import Arrays

/// How far each pixel of a mask is from the nearest pixel outside it.
///
/// - Parameter mask: `[row, column]`.
/// - Returns: `[row, column]`, Euclidean distances between pixel centres, exact but for the rounding
///   of the square root; 0 outside the mask. Beyond the image there is nothing: a mask without any
///   pixel outside it is infinitely far from one.
/// - Throws: ``ImageError`` when the rank is not 2.
/// - Source: Meijster, Roerdink and Hesselink, A general algorithm for computing distance transforms
///   in linear time (2000).
public func distanceTransform(_ mask: NDArray<Bool>) throws(ImageError) -> NDArray<Float> {
  try requireRank(2, of: mask, named: "the mask", axes: "row, column")
  try requireIndexable(mask.shape)
  let (rows, columns) = (mask.shape[0], mask.shape[1])
  // Farther than any pixel of the image, and its square still fits.
  let beyond = Int32(min(rows + columns, Int(Int32.max) / 2))
  let vertical = verticalDistances(mask, beyond: beyond)
  return NDArray(uninitialized: mask.shape) { output in
    vertical.withUnsafeBuffer { vertical in
      var envelope = Envelope(columns: columns)
      for row in 0..<rows {
        let heights = vertical.baseAddress! + row * columns
        let line = output.baseAddress! + row * columns
        // Nothing beyond a pixel outside the mask matters, so that each stretch of the mask is done
        // by itself, together with the pixels that end it.
        var x = 0
        while x < columns {
          let first = x
          while x < columns, heights[x] != 0 { x += 1 }
          if x < columns { line[x] = 0 }
          if x > first {
            envelope.transform(
              heights, max(first - 1, 0)..<min(x + 1, columns), beyond: beyond, into: line)
          }
          x += 1
        }
      }
    }
  }
}

/// The distance of each pixel to the nearest one outside the mask in its own column.
private func verticalDistances(_ mask: NDArray<Bool>, beyond: Int32) -> NDArray<Int32> {
  let (rows, columns) = (mask.shape[0], mask.shape[1])
  return NDArray(uninitialized: mask.shape) { output in
    mask.withUnsafeBuffer { mask in
      for i in 0..<mask.count {
        let above = i < columns ? beyond : output[i - columns]
        output[i] = mask[i] ? min(above + 1, beyond) : 0
      }
      guard rows > 1 else { return }
      for i in stride(from: (rows - 1) * columns - 1, through: 0, by: -1) {
        output[i] = min(output[i], output[i + columns] + 1)
      }
    }
  }
}

/// The lower envelope of the parabolas that pixels of a row contribute.
private struct Envelope {
  /// Column of each parabola on the envelope.
  private var sites: [Int]
  /// The first column where it is the lowest.
  private var starts: [Int]

  init(columns: Int) {
    sites = Array(repeating: 0, count: columns)
    starts = Array(repeating: 0, count: columns)
  }

  mutating func transform(
    _ heights: UnsafePointer<Int32>, _ range: Range<Int>, beyond: Int32,
    into output: UnsafeMutablePointer<Float>
  ) {
    func square(_ x: Int) -> Int { Int(heights[x]) * Int(heights[x]) }
    var last = -1
    for x in range where heights[x] < beyond {
      while last >= 0 {
        let start = starts[last]
        let site = sites[last]
        let old = (start - site) * (start - site) + square(site)
        let new = (start - x) * (start - x) + square(x)
        if old > new { last -= 1 } else { break }
      }
      if last < 0 {
        last = 0
        sites[0] = x
        starts[0] = range.lowerBound
        continue
      }
      let site = sites[last]
      // From the column after the one where both are equally far, rounded down.
      let numerator = x * x - site * site + square(x) - square(site)
      let start = 1 + numerator / (2 * (x - site))
      if start < range.upperBound {
        last += 1
        sites[last] = x
        starts[last] = start
      }
    }
    guard last >= 0 else {
      for x in range { output[x] = .infinity }
      return
    }
    for x in range.reversed() {
      let site = sites[last]
      output[x] = Float(Double((x - site) * (x - site) + square(site)).squareRoot())
      if x == starts[last], last > 0 { last -= 1 }
    }
  }
}
