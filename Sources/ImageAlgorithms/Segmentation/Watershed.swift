import Arrays

/// Floods a landscape from markers: each pixel of the mask gets the label of the marker whose water
/// reaches it first.
///
/// - Parameters:
///   - heights: `[row, column]`; the *greatest* values are flooded first, so a map of interiors or
///     distances is given as it is. Without NaN.
///   - markers: `[row, column]`, 0 or more; 0 is no marker. Those outside the mask are dropped.
///   - mask: `[row, column]`; pixels outside stay 0.
/// - Returns: `[row, column]`; parts of the mask that no marker reaches are 0.
/// - Throws: ``ImageError`` when the shapes differ, a marker is negative or a height is NaN.
/// - Source: scikit-image 0.21, `segmentation.watershed` of `-heights` with 4-connectivity, pixel by
///   pixel, also where heights tie.
@specialized(where Pixel == Float)
@specialized(where Pixel == Double)
public func watershed<Pixel: RealPixel>(
  descending heights: NDArray<Pixel>, markers: NDArray<Int32>, mask: NDArray<Bool>
) throws(ImageError) -> NDArray<Int32> {
  try requireRank(2, of: heights, named: "the heights", axes: "row, column")
  try requireShape(heights.shape, of: markers, named: "the markers")
  try requireShape(heights.shape, of: mask, named: "the mask")
  let columns = heights.shape[1]
  return try mask.withUnsafeBuffer { mask throws(ImageError) in
    try flooded(
      heights, isInside: { index, _ in mask[index] },
      placeMarkers: { basin throws(ImageError) in
        try markers.withUnsafeBuffer { markers throws(ImageError) in
          for i in markers.indices where markers[i] != 0 {
            guard markers[i] > 0 else {
              throw ImageError(.invalidParameter, "\(markers[i]) is not a marker; 0 is none")
            }
            basin.mark(i % columns, i / columns, label: markers[i])
          }
        }
      })
  }
}

/// ``watershed(descending:markers:mask:)`` with a mask and markers that are not stored.
///
/// - Parameters:
///   - isInside: whether a pixel belongs to the mask, from its index and height.
///   - placeMarkers: marks pixels of the basin; called again if the flood has to be repeated.
@inline(__always)
func flooded<Pixel: RealPixel>(
  _ heights: NDArray<Pixel>, isInside: (Int, Pixel) -> Bool,
  placeMarkers: (FloodBasin) throws(ImageError) -> Void
) throws(ImageError) -> NDArray<Int32> {
  let (rows, columns) = (heights.shape[0], heights.shape[1])
  try requireIndexable([rows + 2, columns + 2])
  // Numbers of 32 bits that order as the relief does.
  let order = heights.withUnsafeBuffer { ReliefOrder(of: $0) }
  let basin = FloodBasin(rows: rows, columns: columns, kind: order.kind)

  func fillBasin() throws(ImageError) {
    let isNumber = heights.withUnsafeBuffer { heights in
      var isNumber = true
      for row in 0..<rows {
        let line = row &* columns
        for x in 0..<columns {
          let height = heights[line &+ x]
          isNumber = isNumber && height == height
          basin.set(
            x, row, label: isInside(line &+ x, height) ? 0 : FloodBasin.outside,
            key: order.key(of: height))
        }
      }
      return isNumber
    }
    guard isNumber else { throw ImageError(.notFinite, "the heights contain NaN") }
    try placeMarkers(basin)
  }

  try fillBasin()
  // Ties that could matter are rare in maps that are not quantised, and finding out is cheap.
  if basin.flood() == .ambiguous {
    try fillBasin()
    basin.floodInHeapOrder()
  }
  return basin.labels()
}

/// Maps heights to integers so that greater heights come first.
enum ReliefOrder<Pixel: RealPixel> {
  /// 32-bit numbers: their own bits.
  case bits
  /// Other numbers: their rank among all that occur, by value.
  case ranks([Pixel])

  init(of heights: UnsafeBufferPointer<Pixel>) {
    if MemoryLayout<Pixel>.size <= 4 {
      self = .bits
      return
    }
    var sorted = heights.filter { $0 == $0 }
    sorted.sort(by: >)
    var unique: [Pixel] = []
    for height in sorted where unique.last != height { unique.append(height) }
    self = .ranks(unique)
  }

  var kind: ReliefKind {
    switch self {
    case .bits: .bits
    case .ranks: .ranks
    }
  }

  @inline(__always)
  func key(of height: Pixel) -> UInt32 {
    switch self {
    // + 0 turns -0, which is equal to 0, into it.
    case .bits: UInt32(truncatingIfNeeded: (-height + 0).orderedBits)
    case .ranks(let unique): UInt32(rank(of: height, in: unique))
    }
  }

  private func rank(of height: Pixel, in unique: [Pixel]) -> Int {
    var (low, high) = (0, unique.count)
    while low < high {
      let middle = (low + high) / 2
      if unique[middle] > height { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// What the keys of a ``ReliefOrder`` are.
enum ReliefKind {
  case bits, ranks

  /// A number that orders as the keys do, equal for few of them at most.
  @inline(__always)
  func height(of key: UInt32) -> Float {
    switch self {
    case .bits: Float(orderedBits: UInt64(key))
    case .ranks: Float(key)
    }
  }
}
