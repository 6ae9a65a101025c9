import Arrays

/// Pixels added around an image.
public struct Padding: Sendable, Hashable {
  public var top: Int
  public var bottom: Int
  public var left: Int
  public var right: Int

  public init(top: Int, bottom: Int, left: Int, right: Int) {
    (self.top, self.bottom, self.left, self.right) = (top, bottom, left, right)
  }

  /// What brings an image to the size of a model.
  ///
  /// - Source: deepcell 0.12.10, `_tile_input` when a side is shorter than the model's. There a side that
  ///   is *longer* is padded by the difference too, and so is it here; ``Tiling`` does better and cuts
  ///   that side into tiles.
  public init(rows: Int, columns: Int, modelRows: Int, modelColumns: Int) {
    let rowDifference = abs(rows - modelRows)
    let columnDifference = abs(columns - modelColumns)
    self.init(
      top: rowDifference / 2, bottom: rowDifference - rowDifference / 2,
      left: columnDifference / 2, right: columnDifference - columnDifference / 2)
  }
}

/// An image with its surroundings mirrored, the edge itself not repeated.
///
/// - Parameter image: `[batch, row, column, channel]`, at least one pixel large.
/// - Throws: ``ImageError`` when the rank is not 4, there are no pixels to mirror or padding is negative.
public func padded(
  _ image: NDArray<Float>, by padding: Padding
) throws(ImageError) -> NDArray<Float> {
  try requireRank(4, of: image, named: "the image", axes: "batch, row, column, channel")
  let (rows, columns, channels) = (image.shape[1], image.shape[2], image.shape[3])
  guard rows > 0, columns > 0,
    [padding.top, padding.bottom, padding.left, padding.right].allSatisfy({ $0 >= 0 })
  else {
    throw ImageError(
      .invalidDimensions,
      "an image of shape \(image.shape.tupleDescription) cannot be padded by \(padding)")
  }
  let newRows = padding.top + rows + padding.bottom
  let newColumns = padding.left + columns + padding.right
  let sources = (0..<newColumns).map { Boundary.reflect101($0 - padding.left, columns) }
  return NDArray(uninitialized: [image.shape[0], newRows, newColumns, channels]) { output in
    image.withUnsafeBuffer { input in
      var to = 0
      for item in 0..<image.shape[0] {
        for row in 0..<newRows {
          let line = (item * rows + Boundary.reflect101(row - padding.top, rows)) * columns
          for source in sources {
            for channel in 0..<channels {
              output[to] = input[(line + source) * channels + channel]
              to += 1
            }
          }
        }
      }
    }
  }
}

/// An image without the pixels at its edges.
///
/// - Parameter image: `[batch, row, column, channel]`.
/// - Throws: ``ImageError`` when the rank is not 4 or the image is smaller than what is to be cut off.
public func cropped(
  _ image: NDArray<Float>, by padding: Padding
) throws(ImageError) -> NDArray<Float> {
  try requireRank(4, of: image, named: "the image", axes: "batch, row, column, channel")
  let (rows, columns, channels) = (image.shape[1], image.shape[2], image.shape[3])
  let newRows = rows - padding.top - padding.bottom
  let newColumns = columns - padding.left - padding.right
  guard newRows >= 0, newColumns >= 0 else {
    throw ImageError(
      .invalidDimensions,
      "an image of shape \(image.shape.tupleDescription) cannot be cropped by \(padding)")
  }
  return NDArray(uninitialized: [image.shape[0], newRows, newColumns, channels]) { output in
    image.withUnsafeBuffer { input in
      let width = newColumns * channels
      for item in 0..<image.shape[0] {
        for row in 0..<newRows {
          let from = ((item * rows + padding.top + row) * columns + padding.left) * channels
          let to = (item * newRows + row) * width
          _ = output[to...].update(fromContentsOf: input[from..<from + width])
        }
      }
    }
  }
}
