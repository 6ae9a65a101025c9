import Arrays
import ImageAlgorithms

/// Turns objects into the two maps that a deep watershed starts from.
///
/// The maps are made for what follows: a prominence of 0.1 within 10 pixels parts the peaks, and
/// after a smoothing by one pixel everything over 0.01 belongs to a cell. So each object has one cone,
/// and its interior is steep and drawn in by what the smoothing adds.
struct ObjectHeads {
  /// `[row, column]`, 1 at the middle of each object and less with the distance from it.
  let peaks: NDArray<Float>
  /// `[row, column]`, 1 well inside of an object, 0 outside and at its edge.
  let interior: NDArray<Float>

  /// Pixels over which it rises.
  private static let slope: Float = 3
  /// Pixels at which a peak has lost half its height.
  private static let coneWidth: Float = 4

  /// - Parameter margin: pixels by which the interior begins inside of an object's edge.
  init(of labels: NDArray<Int32>, margin: Float) throws {
    let inside = Self.withoutEdges(labels)
    let depth = try ObjectFinder.distanceToOutside(inside)
    let middles = try Self.middles(of: labels, depth: depth)

    let columns = labels.shape[1]
    peaks = NDArray(uninitialized: labels.shape) { output in
      labels.withUnsafeBuffer { labels in
        for i in output.indices {
          guard let middle = middles[Int(labels[i])] else {
            output[i] = 0
            continue
          }
          let (rise, run) = (i / columns - middle / columns, i % columns - middle % columns)
          let distance = Float(rise * rise + run * run).squareRoot()
          output[i] = 1 / (1 + distance / Self.coneWidth)
        }
      }
    }
    interior = NDArray(uninitialized: labels.shape) { output in
      labels.withUnsafeBuffer { labels in
        depth.withUnsafeBuffer { depth in
          for i in output.indices {
            let rise = min(max((depth[i] + 1 - margin) / Self.slope, 0), 1)
            output[i] = labels[i] > 0 ? rise : 0
          }
        }
      }
      // Also the smallest object has a pixel that its peak can lie on.
      for i in middles.compactMap({ $0 }) { output[i] = max(output[i], 0.5) }
    }
  }

  /// Pixels of an object whose four neighbours belong to it too.
  private static func withoutEdges(_ labels: NDArray<Int32>) -> NDArray<Bool> {
    let (rows, columns) = (labels.shape[0], labels.shape[1])
    return NDArray(uninitialized: labels.shape) { output in
      labels.withUnsafeBuffer { labels in
        for row in 0..<rows {
          for column in 0..<columns {
            let i = row * columns + column
            let label = labels[i]
            output[i] =
              label > 0 && (row == 0 || labels[i - columns] == label)
              && (row == rows - 1 || labels[i + columns] == label)
              && (column == 0 || labels[i - 1] == label)
              && (column == columns - 1 || labels[i + 1] == label)
          }
        }
      }
    }
  }

  /// For each label the index of its object's deepest pixel; nil for those without an object.
  private static func middles(
    of labels: NDArray<Int32>, depth: NDArray<Float>
  ) throws -> [Int?] {
    let smooth = try gaussian(depth, sigma: 1)
    return labels.withUnsafeBuffer { labels in
      smooth.withUnsafeBuffer { smooth in
        var middles = [Int?](repeating: nil, count: Int(labels.max() ?? 0) + 1)
        for i in labels.indices where labels[i] > 0 {
          let label = Int(labels[i])
          if let known = middles[label], smooth[known] >= smooth[i] { continue }
          middles[label] = i
        }
        return middles
      }
    }
  }
}
