import Arrays
import Foundation
import ImageAlgorithms

/// Turns objects into the probabilities of three classes: edge, interior, background, in this order.
///
/// A softmax over the distance to the next edge. Towards the background, the edge is the pixel
/// outside of an object, so that what thresholds and erosions take off leaves most of the object;
/// where two objects touch, it is the outermost pixel of both.
enum PixelClasses {
  static let edge = 0
  static let interior = 1
  static let background = 2

  /// How much of interior a pixel of distance makes; background likewise, outwards.
  private static let steepness: Float = 1.5
  /// The constant part of edge.
  private static let edgeLevel: Float = 1.2
  /// Pixels; further from an edge nothing changes.
  private static let farthest: Float = 6

  /// - Parameter labels: `[row, column]`, 0 is background.
  /// - Returns: `[row, column, class]`; the classes of a pixel sum to 1.
  static func probabilities(of labels: NDArray<Int32>) throws -> NDArray<Float> {
    let depth = try ObjectFinder.distanceToOutside(labels.map { $0 > 0 })
    let height = try ObjectFinder.distanceToOutside(labels.map { $0 == 0 })
    let seam = try ObjectFinder.distanceToOutside(withoutSeams(labels))
    let edgeWeight = exp(edgeLevel)
    return NDArray(uninitialized: labels.shape + [3]) { output in
      labels.withUnsafeBuffer { labels in
        depth.withUnsafeBuffer { depth in
          height.withUnsafeBuffer { height in
            seam.withUnsafeBuffer { seam in
              for i in labels.indices {
                // Of the edge's inner side: half a pixel from the middles of those next to it.
                let distance = labels[i] > 0 ? min(depth[i], seam[i]) + 0.5 : 1.5 - height[i]
                let interiorWeight = exp(steepness * min(max(distance, -farthest), farthest))
                let sum = interiorWeight + edgeWeight + 1 / interiorWeight
                output[3 * i + edge] = edgeWeight / sum
                output[3 * i + interior] = interiorWeight / sum
                output[3 * i + background] = 1 / interiorWeight / sum
              }
            }
          }
        }
      }
    }
  }

  /// All pixels but those next to one of another object.
  private static func withoutSeams(_ labels: NDArray<Int32>) -> NDArray<Bool> {
    let (rows, columns) = (labels.shape[0], labels.shape[1])
    return NDArray(uninitialized: labels.shape) { output in
      labels.withUnsafeBuffer { labels in
        for row in 0..<rows {
          for column in 0..<columns {
            let i = row * columns + column
            func isOther(_ neighbour: Int) -> Bool {
              labels[neighbour] > 0 && labels[neighbour] != labels[i]
            }
            output[i] =
              labels[i] == 0
              || !(row > 0 && isOther(i - columns) || row < rows - 1 && isOther(i + columns)
                || column > 0 && isOther(i - 1) || column < columns - 1 && isOther(i + 1))
          }
        }
      }
    }
  }
}
