import Arrays

/// A frame's labels by their rank: cell 1 has the least label.
struct RankedLabels {
  /// `[row, column]`; 0 is background, cells are 1...
  let ranks: NDArray<Int32>
  /// The labels in order.
  let names: [Int32]

  /// - Parameter labels: `[row, column]`.
  /// - Throws: ``ImageError`` when a label is negative.
  init(_ labels: NDArray<Int32>) throws(ImageError) {
    let dense = try DenseLabels(labels)
    var ranks = dense.labels
    let count = ranks.closeLabelGaps(upTo: dense.count)
    var names = [Int32](repeating: 0, count: count)
    labels.withUnsafeBuffer { labels in
      ranks.withUnsafeBuffer { ranks in
        for i in ranks.indices where ranks[i] > 0 { names[Int(ranks[i]) - 1] = labels[i] }
      }
    }
    self.ranks = ranks
    self.names = names
  }
}
