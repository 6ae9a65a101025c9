import Arrays

/// Removes labels with few pixels.
///
/// - Parameters:
///   - labels: `[row, column]`, 0 or more; 0 is background.
///   - minimumArea: pixels; labels with fewer, over the whole image, become 0.
/// - Throws: ``ImageError`` when the rank is not 2 or a label is negative.
/// - Source: scikit-image 0.21, `morphology.remove_small_objects` on a label image.
public func removeSmallObjects(
  _ labels: NDArray<Int32>, minimumArea: Int
) throws(ImageError) -> NDArray<Int32> {
  let dense = try DenseLabels(labels)
  var result = dense.labels
  result.removeSmallLabels(upTo: dense.count, minimumArea: minimumArea)
  return dense.restored(result)
}

/// Numbers labels 1, 2, 3, ... in the order of their values.
///
/// - Parameter labels: `[row, column]`, 0 or more; 0 stays background.
/// - Throws: ``ImageError`` when the rank is not 2 or a label is negative.
/// - Source: scikit-image 0.21, `segmentation.relabel_sequential`.
public func relabelSequential(_ labels: NDArray<Int32>) throws(ImageError) -> LabelImage {
  let dense = try DenseLabels(labels)
  var result = dense.labels
  let count = result.closeLabelGaps(upTo: dense.count)
  return LabelImage(labels: result, count: count)
}

/// Peels off the outermost pixels of each label.
///
/// - Parameters:
///   - labels: `[row, column]`.
///   - width: how often every labelled pixel becomes 0 that has one of another value above, left,
///     right or below it.
/// - Throws: ``ImageError`` when the rank is not 2.
/// - Source: deepcell-toolbox 0.12.1, `erode_edges`.
public func erodeEdges(
  _ labels: NDArray<Int32>, width: Int
) throws(ImageError) -> NDArray<Int32> {
  try requireRank(2, of: labels, named: "the labels", axes: "row, column")
  let (rows, columns) = (labels.shape[0], labels.shape[1])
  var labels = labels
  // After so many steps nothing is left of any label that does not cover the whole image.
  for _ in 0..<max(0, min(width, rows + columns)) {
    labels = NDArray(uninitialized: labels.shape) { output in
      labels.withUnsafeBuffer { input in
        for row in 0..<rows {
          let above = max(row - 1, 0) * columns
          let line = row * columns
          let below = min(row + 1, rows - 1) * columns
          for x in 0..<columns {
            let label = input[line + x]
            let isInner =
              input[above + x] == label && input[below + x] == label
              && input[line + max(x - 1, 0)] == label
              && input[line + min(x + 1, columns - 1)] == label
            output[line + x] = isInner ? label : 0
          }
        }
      }
    }
  }
  return labels
}

/// In place, for labels known to be 0...count.
extension NDArray<Int32> {
  mutating func removeSmallLabels(upTo count: Int, minimumArea: Int) {
    var counts = [Int](repeating: 0, count: count + 1)
    withUnsafeBuffer { labels in
      counts.withUnsafeMutableBufferPointer { counts in
        for label in labels { counts[Int(label)] &+= 1 }
      }
    }
    replaceLabels(by: counts.enumerated().map { $1 < minimumArea ? 0 : Int32($0) })
  }

  /// Numbers the labels that occur 1, 2, 3, ... and tells how many there are.
  mutating func closeLabelGaps(upTo count: Int) -> Int {
    var numbers = [Int32](repeating: 0, count: count + 1)
    withUnsafeBuffer { labels in
      numbers.withUnsafeMutableBufferPointer { numbers in
        for label in labels { numbers[Int(label)] = 1 }
      }
    }
    numbers[0] = 0
    var last: Int32 = 0
    for label in numbers.indices where numbers[label] > 0 {
      last += 1
      numbers[label] = last
    }
    if Int(last) < count { replaceLabels(by: numbers) }
    return Int(last)
  }

  /// Replaces each label by its entry in a table.
  mutating func replaceLabels(by table: [Int32]) {
    withUnsafeMutableBuffer { labels in
      table.withUnsafeBufferPointer { table in
        for i in labels.indices { labels[i] = table[Int(labels[i])] }
      }
    }
  }
}

/// A label image whose labels can index a table.
struct DenseLabels {
  /// `[row, column]`.
  let labels: NDArray<Int32>
  /// The greatest label.
  let count: Int
  /// What the labels were called before, if they had to be renumbered.
  private let names: [Int32]?

  init(_ labels: NDArray<Int32>) throws(ImageError) {
    try requireRank(2, of: labels, named: "the labels", axes: "row, column")
    var (least, greatest): (Int32, Int32) = (0, 0)
    labels.withUnsafeBuffer { labels in
      for label in labels {
        least = min(least, label)
        greatest = max(greatest, label)
      }
    }
    guard least >= 0 else {
      throw ImageError(.invalidParameter, "\(least) is not a label; labels are 0 or more")
    }
    // A table for each number up to the greatest is fine unless a few labels are called by huge
    // numbers.
    if Int(greatest) <= 4 * labels.count + 65536 {
      (self.labels, count, names) = (labels, Int(greatest), nil)
      return
    }
    let names = Set(labels.elements).union([0]).sorted()
    let numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, Int32($0)) })
    self.labels = labels.map { numbers[$0] ?? 0 }
    count = names.count - 1
    self.names = names
  }

  /// Labels with their names from before.
  func restored(_ labels: NDArray<Int32>) -> NDArray<Int32> {
    var labels = labels
    if let names { labels.replaceLabels(by: names) }
    return labels
  }
}
