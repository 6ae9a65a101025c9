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
      let envelope = Envelope(columns: columns)
      for row in 0..<rows {
        envelope.transform(
          vertical.baseAddress! + row * columns, beyond: beyond,
          into: output.baseAddress! + row * columns)
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

/// The lower envelope of the parabolas that the pixels of a row contribute.
private struct Envelope: ~Copyable {
  /// Column of each parabola on the envelope.
  private let sites: UnsafeMutablePointer<Int>
  /// The first column where it is the lowest.
  private let starts: UnsafeMutablePointer<Int>
  private let columns: Int

  init(columns: Int) {
    self.columns = columns
    sites = .allocate(capacity: max(columns, 1))
    starts = .allocate(capacity: max(columns, 1))
  }

  deinit {
    sites.deallocate()
    starts.deallocate()
  }

  /// Pixels outside the mask part a row: no parabola reaches beyond one whose height is 0.
  func transform(
    _ heights: UnsafePointer<Int32>, beyond: Int32, into output: UnsafeMutablePointer<Float>
  ) {
    var x = 0
    while x < columns {
      if heights[x] == 0 {
        output[x] = 0
        x += 1
        continue
      }
      var end = x + 1
      while end < columns && heights[end] != 0 { end += 1 }
      transform(
        x..<end, from: max(x - 1, 0)..<min(end + 1, columns), heights, beyond: beyond, into: output)
      x = end
    }
  }

  /// The distances of the pixels in `targets`, to which those in `sources` contribute.
  private func transform(
    _ targets: Range<Int>, from sources: Range<Int>, _ heights: UnsafePointer<Int32>,
    beyond: Int32, into output: UnsafeMutablePointer<Float>
  ) {
    func square(_ x: Int) -> Int { Int(heights[x]) * Int(heights[x]) }
    var last = -1
    for x in sources where heights[x] < beyond {
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
        starts[0] = sources.lowerBound
        continue
      }
      let site = sites[last]
      // From the column after the one where both are equally far, rounded down.
      let numerator = x * x - site * site + square(x) - square(site)
      let start = 1 + numerator / (2 * (x - site))
      if start < sources.upperBound {
        last += 1
        sites[last] = x
        starts[last] = start
      }
    }
    guard last >= 0 else {
      (output + targets.lowerBound).update(repeating: .infinity, count: targets.count)
      return
    }
    for x in targets.reversed() {
      while x < starts[last] && last > 0 { last -= 1 }
      let site = sites[last]
      output[x] = Float(Double((x - site) * (x - site) + square(site)).squareRoot())
    }
  }
}
