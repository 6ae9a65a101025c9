import Arrays

/// What is known of a cell in one frame, as 64 numbers.
///
/// 0...6 are the properties below in their order, 7...14 are 0, and from 15 on there is the crop in 7 x 7
/// parts, of mean 0 and length 1. All are 0 for a cell that is none.
struct CellFeatures {
  static let count = 64
  private static let gridSide = 7
  private static let gridStart = count - gridSide * gridSide

  let values: [Float]

  init(values: [Float]) {
    precondition(values.count == Self.count)
    self.values = values
  }

  /// 1, or 0 for one that only fills up its frame.
  var isCell: Bool { values[0] > 0.5 && radius > 0 }
  /// Of a circle of the same area, in pixels.
  var radius: Float { values[1] }
  /// The perimeter to that of this circle.
  var raggedness: Float { values[2] }
  var eccentricity: Float { values[3] }
  /// Mean and standard deviation of the crop.
  var brightness: Float { values[4] }
  var contrast: Float { values[5] }
  /// Pixels to the nearest cell; 0 if none is near.
  var spacing: Float { values[6] }

  /// How much alike two crops are, -1...1, whatever their brightness; 0 where one is even.
  func correlation(_ other: CellFeatures) -> Float {
    var sum: Float = 0
    for i in Self.gridStart..<Self.count { sum += values[i] * other.values[i] }
    return min(max(sum, -1), 1)
  }

  /// - Parameters:
  ///   - crops: `[cell, row, column, 1]`.
  ///   - shapes: `[cell, property]`: area, perimeter, eccentricity.
  ///   - centroids: `[cell, axis]`.
  ///   - adjacency: `[cell, cell]`, not 0 for those near each other.
  static func describe(
    crops: NDArray<Float>, shapes: NDArray<Float>, centroids: NDArray<Float>,
    adjacency: NDArray<Float>
  ) -> [CellFeatures] {
    let count = shapes.shape[0]
    let (shapes, places) = (shapes.elements, centroids.elements)
    return adjacency.withUnsafeBuffer { adjacency in
      (0..<count).map { cell in
        let area = shapes[3 * cell]
        var values = [Float](repeating: 0, count: Self.count)
        guard area > 0 else { return CellFeatures(values: values) }
        let radius = (area / .pi).squareRoot()
        values[0] = 1
        values[1] = radius
        values[2] = shapes[3 * cell + 1] / (2 * .pi * radius)
        values[3] = shapes[3 * cell + 2]
        describe(crops.slice(cell), in: &values)
        var nearest = Float.infinity
        for other in 0..<count
        where other != cell && adjacency[cell * count + other] != 0 && shapes[3 * other] > 0 {
          let (y, x) = (
            places[2 * other] - places[2 * cell], places[2 * other + 1] - places[2 * cell + 1]
          )
          nearest = min(nearest, y * y + x * x)
        }
        values[6] = nearest.isFinite ? nearest.squareRoot() : 0
        return CellFeatures(values: values)
      }
    }
  }

  private static func describe(_ crop: NDArray<Float>, in values: inout [Float]) {
    let (rows, columns) = (crop.shape[0], crop.shape[1])
    var sums = [Double](repeating: 0, count: gridSide * gridSide)
    var counts = sums
    var (sum, squares) = (0.0, 0.0)
    crop.withUnsafeBuffer { pixels in
      for i in pixels.indices {
        let value = Double(pixels[i])
        sum += value
        squares += value * value
        let part = i / columns * gridSide / rows * gridSide + i % columns * gridSide / columns
        sums[part] += value
        counts[part] += 1
      }
    }
    let mean = sum / Double(crop.count)
    values[4] = Float(mean)
    values[5] = Float(max(squares / Double(crop.count) - mean * mean, 0).squareRoot())

    let parts = zip(sums, counts).map { $0 / max($1, 1) }
    let middle = parts.reduce(0, +) / Double(parts.count)
    let length = parts.reduce(0) { $0 + ($1 - middle) * ($1 - middle) }.squareRoot()
    guard length > 1e-9 * max(abs(middle), 1e-9) else { return }
    for (i, part) in parts.enumerated() { values[gridStart + i] = Float((part - middle) / length) }
  }
}
