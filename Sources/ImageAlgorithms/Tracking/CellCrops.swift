import Arrays

/// How small pictures of cells are made for a model.
public struct AppearanceParameters: Sendable, Equatable {
  public enum CropMode: String, Sendable, CaseIterable {
    /// The box around the cell, stretched.
    case resize
    /// A window of fixed size around its centroid.
    case fixed
  }

  /// Rows and columns of a picture.
  public var size: Int
  public var cropMode: CropMode
  /// Whether the pixels of a ``CropMode/fixed`` window that are not the cell's become 0, and those that
  /// are get the mean 0 and the deviation 1.
  public var isNormalized: Bool

  public init(size: Int = 32, cropMode: CropMode = .resize, isNormalized: Bool = true) {
    self.size = size
    self.cropMode = cropMode
    self.isNormalized = isNormalized
  }
}

/// Makes pictures of the cells of one frame.
struct CellCrops {
  let parameters: AppearanceParameters
  let image: UnsafeBufferPointer<Float>
  let ranks: UnsafeBufferPointer<Int32>
  let rows: Int
  let columns: Int

  private var size: Int { parameters.size }

  /// Writes the picture of a cell, `[row, column]`.
  func write(rank: Int, _ cell: CellMeasures, to output: UnsafeMutablePointer<Float>) {
    switch parameters.cropMode {
    case .resize: resize(cell, to: output)
    case .fixed:
      crop(around: cell, to: output)
      if parameters.isNormalized { normalize(rank: Int32(rank), cell, output) }
    }
  }

  private func resize(_ cell: CellMeasures, to output: UnsafeMutablePointer<Float>) {
    let start = image.baseAddress! + cell.rows.lowerBound * columns + cell.columns.lowerBound
    // The reference takes a single row for a column, and models were trained on that.
    let isLying = cell.rows.count == 1
    BilinearResize(
      from: isLying ? (cell.columns.count, 1) : (cell.rows.count, cell.columns.count),
      to: (size, size), rowStride: isLying ? 1 : columns
    ).apply(to: start, into: output)
  }

  /// The first row and column of the window; may lie outside of the image.
  private func corner(of cell: CellMeasures) -> (row: Int, column: Int) {
    (Int(cell.centroid.row) - size / 2, Int(cell.centroid.column) - size / 2)
  }

  private func crop(around cell: CellMeasures, to output: UnsafeMutablePointer<Float>) {
    let corner = corner(of: cell)
    for y in 0..<size {
      for x in 0..<size {
        let (row, column) = (corner.row + y, corner.column + x)
        let isInside = row >= 0 && row < rows && column >= 0 && column < columns
        output[y * size + x] = isInside ? image[row * columns + column] : 0
      }
    }
  }

  /// Only pixels that are not 0 count.
  private func normalize(
    rank: Int32, _ cell: CellMeasures, _ output: UnsafeMutablePointer<Float>
  ) {
    let corner = corner(of: cell)
    var (count, sum) = (0, 0.0)
    for y in 0..<size {
      for x in 0..<size {
        let (row, column) = (corner.row + y, corner.column + x)
        let isCell =
          row >= 0 && row < rows && column >= 0 && column < columns
          && ranks[row * columns + column] == rank
        if !isCell { output[y * size + x] = 0 }
        let value = output[y * size + x]
        if value != 0 { (count, sum) = (count + 1, sum + Double(value)) }
      }
    }
    guard count > 0 else { return }
    let pixels = UnsafeMutableBufferPointer(start: output, count: size * size)
    let mean = sum / Double(count)
    var squares = 0.0
    for value in pixels where value != 0 {
      squares += (Double(value) - mean) * (Double(value) - mean)
    }
    let deviation = (squares / Double(count)).squareRoot() + 1e-4
    for i in pixels.indices where pixels[i] != 0 {
      pixels[i] = Float((Double(pixels[i]) - mean) / deviation)
    }
  }
}
