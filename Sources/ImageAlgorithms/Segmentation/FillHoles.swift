import Arrays

/// Fills small holes in labels, and small pockets between a label and the edge of its bounding box.
///
/// - Parameters:
///   - labels: `[row, column]`, 0 or more; 0 is background.
///   - maximumArea: pixels; holes with fewer are filled, whatever they contain.
/// - Throws: ``ImageError`` when the rank is not 2 or a label is negative.
/// - Source: deepcell-toolbox 0.12.1, `fill_holes` with scikit-image 0.21 `regionprops`: labels are
///   done in increasing order, and only those with a hole (an Euler number below 1) at the outset.
public func fillHoles(
  _ labels: NDArray<Int32>, maximumArea: Int
) throws(ImageError) -> NDArray<Int32> {
  let dense = try DenseLabels(labels)
  try requireIndexable(labels.shape)
  var filled = dense.labels
  filled.fillHoles(upTo: dense.count, maximumArea: maximumArea)
  return dense.restored(filled)
}

extension NDArray<Int32> {
  /// Fills holes in place; labels are known to be 0...count.
  mutating func fillHoles(upTo count: Int, maximumArea: Int) {
    let regions = LabelRegions(of: self, count: count)
    let withHoles = regions.labels.filter { regions[$0].hasHole }
    if withHoles.isEmpty || maximumArea <= 1 { return }

    let pixels = regions.pixels(of: withHoles, in: self)
    var filler = HoleFiller(columns: shape[1], pixels: self.count, maximumArea: maximumArea)
    withUnsafeMutableBuffer { labels in
      for (label, pixels) in zip(withHoles, pixels) {
        filler.fill(Int32(label), pixels: pixels, in: regions[label], of: labels.baseAddress!)
      }
    }
  }
}

/// Bounding box and Euler number of a label.
struct LabelRegion {
  fileprivate(set) var top = Int32.max
  fileprivate(set) var left = Int32.max
  /// The last row and column.
  fileprivate(set) var bottom: Int32 = -1
  fileprivate(set) var right: Int32 = -1
  fileprivate(set) var area = 0
  /// Four times the number of 8-connected parts less that of 4-connected holes.
  fileprivate var quadEuler: Int32 = 0

  var hasHole: Bool { area > 0 && quadEuler < 4 }
}

/// What is known about each label of an image.
struct LabelRegions {
  private var regions: [LabelRegion]

  subscript(label: Int) -> LabelRegion { regions[label] }
  var labels: Range<Int> { 1..<regions.count }

  init(of labels: NDArray<Int32>, count: Int) {
    regions = Array(repeating: LabelRegion(), count: count + 1)
    let columns = labels.shape[1]
    guard columns > 0 else { return }
    regions.withUnsafeMutableBufferPointer { regions in
      labels.withUnsafeBuffer { labels in
        Self.measure(labels, columns: columns, into: regions)
        Self.countEuler(labels, columns: columns, into: regions)
      }
    }
  }

  private static func measure(
    _ labels: UnsafeBufferPointer<Int32>, columns: Int,
    into regions: UnsafeMutableBufferPointer<LabelRegion>
  ) {
    for row in 0..<(labels.count / columns) {
      let line = labels.baseAddress! + row * columns
      var x = 0
      while x < columns {
        let label = line[x]
        let start = x
        repeat { x += 1 } while x < columns && line[x] == label
        if label == 0 { continue }
        var region = regions[Int(label)]
        region.top = min(region.top, Int32(row))
        region.bottom = Int32(row)
        region.left = min(region.left, Int32(start))
        region.right = max(region.right, Int32(x - 1))
        region.area += x - start
        regions[Int(label)] = region
      }
    }
  }

  /// Adds up what the windows of 2 x 2 pixels, also those half outside the image, tell about corners.
  private static func countEuler(
    _ labels: UnsafeBufferPointer<Int32>, columns: Int,
    into regions: UnsafeMutableBufferPointer<LabelRegion>
  ) {
    let rows = labels.count / columns
    let nothing = [Int32](repeating: 0, count: columns)
    nothing.withUnsafeBufferPointer { nothing in
      for row in 0...rows {
        let upper = row > 0 ? labels.baseAddress! + (row - 1) * columns : nothing.baseAddress!
        let lower = row < rows ? labels.baseAddress! + row * columns : nothing.baseAddress!
        var (a, c): (Int32, Int32) = (0, 0)
        for x in 0...columns {
          let b = x < columns ? upper[x] : 0
          let d = x < columns ? lower[x] : 0
          if a != b || c != d || a != c {
            count(a, SIMD4(a, b, c, d), regions)
            if b != a { count(b, SIMD4(a, b, c, d), regions) }
            if c != a, c != b { count(c, SIMD4(a, b, c, d), regions) }
            if d != a, d != b, d != c { count(d, SIMD4(a, b, c, d), regions) }
          }
          (a, c) = (b, d)
        }
      }
    }
  }

  @inline(__always)
  private static func count(
    _ label: Int32, _ window: SIMD4<Int32>, _ regions: UnsafeMutableBufferPointer<LabelRegion>
  ) {
    if label == 0 { return }
    let isSet = window .== label
    let number = (0..<4).reduce(0) { $0 + (isSet[$1] ? 1 : 0) }
    let change: Int32 =
      switch number {
      case 1: 1
      case 2 where isSet[0] == isSet[3]: -2  // only the two diagonal pairs have equal ends
      case 3: -1
      default: 0
      }
    regions[Int(label)].quadEuler += change
  }

  /// The pixels of some labels, each row by row.
  func pixels(of wanted: [Int], in labels: NDArray<Int32>) -> [ArraySlice<Int32>] {
    var next = [Int](repeating: -1, count: regions.count)
    var starts: [Int] = []
    var total = 0
    for label in wanted {
      next[label] = total
      starts.append(total)
      total += regions[label].area
    }
    var pixels = [Int32](repeating: 0, count: total)
    labels.withUnsafeBuffer { labels in
      for i in labels.indices where next[Int(labels[i])] >= 0 {
        pixels[next[Int(labels[i])]] = Int32(i)
        next[Int(labels[i])] += 1
      }
    }
    return zip(wanted, starts).map { pixels[$1..<$1 + regions[$0].area] }
  }
}
