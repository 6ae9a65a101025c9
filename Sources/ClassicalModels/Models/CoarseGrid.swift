import Arrays

/// A grid of which each cell covers some pixels squared, for what changes slowly over an image.
struct CoarseGrid {
  /// Pixels along a side of a cell.
  static let pitch = 4

  var values: NDArray<Float>

  /// The mean of each cell; cells that reach over the edge count the pixels inside.
  init(meanOf image: NDArray<Float>) {
    let (rows, columns) = (image.shape[0], image.shape[1])
    let pitch = Self.pitch
    let (gridRows, gridColumns) = ((rows + pitch - 1) / pitch, (columns + pitch - 1) / pitch)
    values = NDArray(uninitialized: [gridRows, gridColumns]) { output in
      image.withUnsafeBuffer { input in
        for gridRow in 0..<gridRows {
          for gridColumn in 0..<gridColumns {
            var sum: Float = 0
            var count: Float = 0
            for row in gridRow * pitch..<min(rows, (gridRow + 1) * pitch) {
              for column in gridColumn * pitch..<min(columns, (gridColumn + 1) * pitch) {
                sum += input[row * columns + column]
                count += 1
              }
            }
            output[gridRow * gridColumns + gridColumn] = sum / count
          }
        }
      }
    }
  }

  init(values: NDArray<Float>) { self.values = values }

  /// The grid at every pixel of an image, interpolated between the centres of cells.
  func interpolated(to shape: Shape) -> NDArray<Float> {
    let (gridRows, gridColumns) = (values.shape[0], values.shape[1])
    func positions(_ count: Int, _ cells: Int) -> [(Int, Int, Float)] {
      (0..<count).map { i in
        let position = min(
          max((Float(i) + 0.5) / Float(Self.pitch) - 0.5, 0), Float(cells - 1))
        let cell = Int(position)
        return (cell, min(cell + 1, cells - 1), position - Float(cell))
      }
    }
    let rows = positions(shape[0], gridRows)
    let columns = positions(shape[1], gridColumns)
    return NDArray(uninitialized: shape) { output in
      values.withUnsafeBuffer { grid in
        var i = 0
        for (top, bottom, y) in rows {
          for (left, right, x) in columns {
            let a = grid[top * gridColumns + left] * (1 - x) + grid[top * gridColumns + right] * x
            let b =
              grid[bottom * gridColumns + left] * (1 - x) + grid[bottom * gridColumns + right] * x
            output[i] = a * (1 - y) + b * y
            i += 1
          }
        }
      }
    }
  }
}
