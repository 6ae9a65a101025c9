import Arrays

/// The part of a raw tile that shows something.
///
/// Around an image that is smaller than its tiles there are rows and columns of zeros, which tell
/// nothing about the image.
struct TileContent {
  /// `[row, column]`; empty where all of the tile is 0.
  let pixels: NDArray<Float>
  /// All values, least first.
  let sorted: [Float]

  /// - Parameter tile: `[row, column]`, finite.
  init(_ tile: NDArray<Float>) {
    let columns = tile.shape[1]
    var rowRange = 0..<0
    var columnRange = 0..<0
    tile.withUnsafeBuffer { tile in
      for i in tile.indices where tile[i] != 0 {
        let (row, column) = (i / columns, i % columns)
        if rowRange.isEmpty { (rowRange, columnRange) = (row..<row + 1, column..<column + 1) }
        rowRange = rowRange.lowerBound..<row + 1
        columnRange =
          min(columnRange.lowerBound, column)..<max(columnRange.upperBound, column + 1)
      }
    }
    pixels = Part(rows: rowRange, columns: columnRange).cut(from: tile)
    sorted = pixels.elements.sorted()
  }

  /// The value that this share of pixels lies below; 0 if there are none.
  func quantile(_ share: Double) -> Float {
    sorted.isEmpty ? 0 : sorted[Int(share * Double(sorted.count - 1))]
  }
}
