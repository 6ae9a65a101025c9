import Arrays

/// Position and form of a cell.
struct CellMeasures: Sendable {
  /// The box around it; the upper bounds belong to it.
  var rows: ClosedRange<Int>
  var columns: ClosedRange<Int>
  /// Mean row and mean column.
  var centroid: (row: Double, column: Double)
  /// Pixels.
  var area: Int
  /// Pixels along the border, those across corners longer.
  var perimeter: Double
  /// Of the ellipse with the same second moments, 0 for a circle and 1 for a line.
  var eccentricity: Double

  /// Measures all cells of a frame, in passes over its pixels.
  ///
  /// - Parameters:
  ///   - ranks: `[row, column]`, 0 for background.
  ///   - count: of the cells; each rank 1...count occurs.
  /// - Source: scikit-image 0.21, `measure.regionprops`.
  static func all(in ranks: NDArray<Int32>, count: Int) -> [CellMeasures] {
    let (rows, columns) = (ranks.shape[0], ranks.shape[1])
    return ranks.withUnsafeBuffer { ranks in
      var measuring = MeasuringPass(ranks: ranks, rows: rows, columns: columns, count: count)
      measuring.findBoxes()
      measuring.sumMoments()
      measuring.followBorders()
      return measuring.measures
    }
  }
}

private struct MeasuringPass {
  let ranks: UnsafeBufferPointer<Int32>
  let rows: Int
  let columns: Int
  private var cells: [Sums]

  private struct Sums {
    var (top, bottom, left, right) = (Int.max, -1, Int.max, -1)
    var (area, rowSum, columnSum) = (0, 0, 0)
    /// About the centroid.
    var (rowSquares, columnSquares, products) = (0.0, 0.0, 0.0)
    var perimeter = 0.0

    var centroid: (row: Double, column: Double) {
      (Double(rowSum) / Double(area), Double(columnSum) / Double(area))
    }

    /// From the eigenvalues of the covariance.
    var eccentricity: Double {
      let (a, b, c) = (
        columnSquares / Double(area), products / Double(area), rowSquares / Double(area)
      )
      let half = (a - c) / 2
      let root = (half * half + b * b).squareRoot()
      let greater = max((a + c) / 2 + root, 0)
      let less = max((a + c) / 2 - root, 0)
      return greater == 0 ? 0 : max(1 - less / greater, 0).squareRoot()
    }
  }

  init(ranks: UnsafeBufferPointer<Int32>, rows: Int, columns: Int, count: Int) {
    (self.ranks, self.rows, self.columns) = (ranks, rows, columns)
    cells = Array(repeating: Sums(), count: count)
  }

  var measures: [CellMeasures] {
    cells.map { cell in
      CellMeasures(
        rows: cell.top...cell.bottom, columns: cell.left...cell.right, centroid: cell.centroid,
        area: cell.area, perimeter: cell.perimeter, eccentricity: cell.eccentricity)
    }
  }

  /// Calls `body` for each pixel of a cell.
  private mutating func forEachPixel(_ body: (inout Sums, _ row: Int, _ column: Int) -> Void) {
    let (ranks, rows, columns) = (ranks, rows, columns)
    cells.withUnsafeMutableBufferPointer { cells in
      for row in 0..<rows {
        for column in 0..<columns {
          let rank = Int(ranks[row * columns + column])
          if rank > 0 { body(&cells[rank - 1], row, column) }
        }
      }
    }
  }

  mutating func findBoxes() {
    forEachPixel { cell, row, column in
      cell.top = min(cell.top, row)
      cell.bottom = row
      cell.left = min(cell.left, column)
      cell.right = max(cell.right, column)
      cell.area += 1
      cell.rowSum += row
      cell.columnSum += column
    }
  }

  mutating func sumMoments() {
    let centroids = cells.map(\.centroid)
    let (ranks, columns) = (ranks, columns)
    forEachPixel { cell, row, column in
      let centroid = centroids[Int(ranks[row * columns + column]) - 1]
      let (y, x) = (Double(row) - centroid.row, Double(column) - centroid.column)
      cell.rowSquares += y * y
      cell.columnSquares += x * x
      cell.products += y * x
    }
  }

  /// Adds up the perimeters: each border pixel counts by how its neighbours on the border lie.
  mutating func followBorders() {
    let isBorder = borderPixels
    let (ranks, rows, columns) = (ranks, rows, columns)
    isBorder.withUnsafeBufferPointer { isBorder in
      forEachPixel { cell, row, column in
        let index = row * columns + column
        guard isBorder[index] else { return }
        let rank = ranks[index]
        var code = 1
        for y in max(row - 1, 0)...min(row + 1, rows - 1) {
          for x in max(column - 1, 0)...min(column + 1, columns - 1) {
            let other = y * columns + x
            guard isBorder[other], ranks[other] == rank, other != index else { continue }
            code += y == row || x == column ? 2 : 10
          }
        }
        cell.perimeter += Self.length(of: code)
      }
    }
  }

  private static func length(of code: Int) -> Double {
    switch code {
    case 5, 7, 15, 17, 25, 27: 1
    case 21, 33: 2.0.squareRoot()
    case 13, 23: (1 + 2.0.squareRoot()) / 2
    default: 0
    }
  }

  /// Pixels of cells with something else above, left, right or below them.
  private var borderPixels: [Bool] {
    let (rows, columns) = (rows, columns)
    return [Bool](unsafeUninitializedCapacity: ranks.count) { border, count in
      count = ranks.count
      for row in 0..<rows {
        for column in 0..<columns {
          let index = row * columns + column
          let rank = ranks[index]
          let isInner =
            row > 0 && row < rows - 1 && column > 0 && column < columns - 1
            && ranks[index - columns] == rank && ranks[index + columns] == rank
            && ranks[index - 1] == rank && ranks[index + 1] == rank
          border.initializeElement(at: index, to: rank > 0 && !isInner)
        }
      }
    }
  }
}
