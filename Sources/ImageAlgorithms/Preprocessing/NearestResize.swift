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
  let source = labels.shape[3] == 1 ? cornerSources : centreSources
  return picked(
    labels, rows: source(labels.shape[1], rows), columns: source(labels.shape[2], columns))
}

/// Resizes images without mixing pixels: each new one is the old one at its centre.
///
/// - Parameters:
///   - image: `[batch, row, column, channel]`.
///   - rows: of the result, at least 1.
///   - columns: of the result, at least 1.
/// - Returns: the same with the new size.
/// - Throws: ``ImageError`` when the rank is not 4 or a size is less than 1.
/// - Source: scikit-image 0.21, `transform.resize` with order 0, mode `edge` and no anti-aliasing.
public func resizedNearest(
  _ image: NDArray<Float>, rows: Int, columns: Int
) throws(ImageError) -> NDArray<Float> {
  try requireRank(4, of: image, named: "the image", axes: "batch, row, column, channel")
  try requireResizable(image.shape, rows: rows, columns: columns)
  return picked(
    image, rows: centreSources(image.shape[1], rows),
    columns: centreSources(image.shape[2], columns)
  )
}

/// The pixels of an image at the given rows and columns.
private func picked<Element>(
  _ image: NDArray<Element>, rows: [Int], columns: [Int]
) -> NDArray<Element> {
  let (items, oldRows, oldColumns) = (image.shape[0], image.shape[1], image.shape[2])
  let channels = image.shape[3]
  if rows.count == oldRows, columns.count == oldColumns { return image }
  return NDArray(uninitialized: [items, rows.count, columns.count, channels]) { output in
    image.withUnsafeBuffer { input in
      var to = 0
      for item in 0..<items {
        for row in rows {
          let line = (item * oldRows + row) * oldColumns
          for column in columns {
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
