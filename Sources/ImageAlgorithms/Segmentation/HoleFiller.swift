/// Finds and fills the holes of one label after the other.
///
/// Instead of numbering everything that is not the label inside its bounding box, small floods
/// start from the neighbours of its pixels and give up once they have grown too large. A region of
/// the box that has no pixel of the label next to it is the whole box.
struct HoleFiller {
  private let columns: Int
  private let maximumArea: Int
  /// The label for which a pixel is known to lie in a large region; negative while a flood visits it.
  private var marks: [Int32]
  private var flood: [Int32] = []

  init(columns: Int, pixels: Int, maximumArea: Int) {
    self.columns = columns
    self.maximumArea = maximumArea
    marks = Array(repeating: 0, count: pixels)
  }

  /// Fills the holes of `label` in `labels`.
  ///
  /// - Parameters:
  ///   - pixels: those the label had at the outset; another label's filling may have taken some.
  ///   - region: its bounding box at the outset.
  mutating func fill(
    _ label: Int32, pixels: ArraySlice<Int32>, in region: LabelRegion,
    of labels: UnsafeMutablePointer<Int32>
  ) {
    var isGone = true
    for pixel in pixels where labels[Int(pixel)] == label {
      isGone = false
      forEachNeighbour(of: Int(pixel), in: region) { hole in
        if labels[hole] != label, marks[hole] != label, isSmall(hole, label, region, labels) {
          for pixel in flood { labels[Int(pixel)] = label }
        }
      }
    }
    if isGone, isSmall(Int(region.top) * columns + Int(region.left), label, region, labels) {
      for pixel in flood { labels[Int(pixel)] = label }
    }
  }

  /// Whether the region around a pixel that does not have the label is small; it is then in `flood`.
  private mutating func isSmall(
    _ start: Int, _ label: Int32, _ region: LabelRegion, _ labels: UnsafeMutablePointer<Int32>
  ) -> Bool {
    flood.removeAll(keepingCapacity: true)
    flood.append(Int32(start))
    marks[start] = -label
    var isLarge = false
    var next = 0
    while next < flood.count, !isLarge {
      forEachNeighbour(of: Int(flood[next]), in: region) { pixel in
        if labels[pixel] == label || marks[pixel] == -label { return }
        if marks[pixel] == label { isLarge = true }
        marks[pixel] = -label
        flood.append(Int32(pixel))
      }
      if flood.count >= maximumArea { isLarge = true }
      next += 1
    }
    if isLarge { for pixel in flood { marks[Int(pixel)] = label } }
    return !isLarge
  }

  @inline(__always)
  private func forEachNeighbour(of pixel: Int, in region: LabelRegion, _ body: (Int) -> Void) {
    let (row, column) = pixel.quotientAndRemainder(dividingBy: columns)
    if row > Int(region.top) { body(pixel - columns) }
    if column > Int(region.left) { body(pixel - 1) }
    if column < Int(region.right) { body(pixel + 1) }
    if row < Int(region.bottom) { body(pixel + columns) }
  }
}
