import Arrays
import Foundation

/// Turns spots into the two maps that they are read from: the greatest probability marks the pixel of a
/// spot, the offset there leads to its middle.
struct SpotHeads {
  /// `[row, column, class]`: none, spot. They sum to 1.
  let classes: NDArray<Float>
  /// `[row, column, axis]`: rows and columns to the middle of the next spot; 0 where none is near.
  let offsets: NDArray<Float>

  /// Pixels around a spot that tell of it.
  private static let reach = 2
  /// Standard deviation of the probability around a spot.
  private static let width: Float = 0.8

  /// - Parameter shape: `[row, column]`.
  init(of spots: [SpotFinder.Spot], shape: Shape) {
    let (rows, columns) = (shape[0], shape[1])
    var probabilities = [Float](repeating: 0, count: rows * columns)
    var offsets = NDArray<Float>(shape: shape + [2])
    offsets.withUnsafeMutableBuffer { offsets in
      for spot in spots {
        for row in max(spot.row - Self.reach, 0)...min(spot.row + Self.reach, rows - 1) {
          for column in max(
            spot.column - Self.reach, 0)...min(spot.column + Self.reach, columns - 1)
          {
            let (y, x) = (Float(spot.row - row), Float(spot.column - column))
            let probability =
              spot.probability * exp(-(y * y + x * x) / (2 * Self.width * Self.width))
            let i = row * columns + column
            guard probability > probabilities[i] else { continue }
            probabilities[i] = probability
            offsets[2 * i] = y + spot.offset.row
            offsets[2 * i + 1] = x + spot.offset.column
          }
        }
      }
    }
    self.offsets = offsets
    classes = NDArray(uninitialized: shape + [2]) { output in
      for i in probabilities.indices {
        output[2 * i] = 1 - probabilities[i]
        output[2 * i + 1] = probabilities[i]
      }
    }
  }
}
