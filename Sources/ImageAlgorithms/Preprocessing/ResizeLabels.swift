import Arrays

/// Resizes label images; labels are copied, never mixed.
///
/// - Parameters:
///   - labels: `[batch, row, column, channel]`.
///   - rows: of the result, at least 1.
///   - columns: of the result, at least 1.
/// - Returns: the same with the new size. Labels that vanish leave gaps in the numbering.
/// - Throws: ``ImageError`` when the rank is not 4 or a size is less than 1.
/// - Source: deepcell-toolbox 0.12.1, `resize` of labelled images. One channel: OpenCV 4
///   `INTER_NEAREST`, which takes the pixel at a new one's corner. Several: scikit-image 0.21 with order
///   0, which takes the one at its centre.
public func resizedLabels(
  _ labels: NDArray<Int32>, rows: Int, columns: Int
) throws(ImageError) -> NDArray<Int32> {
  try requireRank(4, of: labels, named: "the labels", axes: "batch, row, column, channel")
  try requireResizable(labels.shape, rows: rows, columns: columns)
  let (items, oldRows, oldColumns) = (labels.shape[0], labels.shape[1], labels.shape[2])
  let channels = labels.shape[3]
  if rows == oldRows, columns == oldColumns { return labels }
  let source = channels == 1 ? cornerSources : centreSources
  let rowSources = source(oldRows, rows)
  let columnSources = source(oldColumns, columns)
  return NDArray(uninitialized: [items, rows, columns, channels]) { output in
    labels.withUnsafeBuffer { input in
      var to = 0
      for item in 0..<items {
        for row in rowSources {
          let line = (item * oldRows + row) * oldColumns
          for column in columnSources {
            for channel in 0..<channels {
              output[to] = input[(line + column) * channels + channel]
              to += 1
            }
          }
        }
      }
    }
  }
}

private func cornerSources(_ old: Int, _ new: Int) -> [Int] {
  let step = 1 / (Double(new) / Double(old))
  return (0..<new).map { min(Int(Double($0) * step), old - 1) }
}

private func centreSources(_ old: Int, _ new: Int) -> [Int] {
  (0..<new).map {
    let position = (Double($0) + 0.5) * (Double(old) / Double(new)) - 0.5
    return min(max(Int((position + 0.5).rounded(.down)), 0), old - 1)
  }
}
