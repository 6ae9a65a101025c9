import Arrays
import ImageAlgorithms
import TestSupport

/// An image drawn at random and what is in it.
struct SyntheticCells {
  /// `[row, column]`
  let image: NDArray<Float>
  /// `[row, column]`, 0 is background.
  let truth: NDArray<Int32>

  enum Look { case bright, textured }

  /// Ellipses that do not overlap, on a ground that grows brighter, with noise.
  ///
  /// - Parameters:
  ///   - radii: of the longer axis, in pixels.
  ///   - look: brighter than the ground by 0.3 to 1, or of the same mean but uneven.
  init(seed: Int, side: Int = 256, count: Int, radii: ClosedRange<Float>, look: Look) throws {
    var generator = SeededGenerator(seed: seed)
    var truth = NDArray<Int32>(shape: [side, side])
    var brightness: [Float] = [0]
    for _ in 0..<count * 20 where brightness.count <= count {
      let ellipse = Ellipse(within: side, radii: radii, using: &generator)
      let pixels = ellipse.pixels(within: side)
      let isFree = truth.withUnsafeBuffer { truth in pixels.allSatisfy { truth[$0] == 0 } }
      guard isFree, pixels.count >= 30 else { continue }
      truth.withUnsafeMutableBuffer { truth in
        for i in pixels { truth[i] = Int32(brightness.count) }
      }
      brightness.append(.random(in: 0.3...1, using: &generator))
    }
    self.truth = truth

    let grain = try gaussian(Self.noise(side, &generator), sigma: 1.5)
    let cells = NDArray<Float>(uninitialized: [side, side]) { output in
      truth.withUnsafeBuffer { truth in
        grain.withUnsafeBuffer { grain in
          for i in output.indices {
            let texture = truth[i] > 0 ? 0.7 * grain[i] : 0
            output[i] = look == .bright ? brightness[Int(truth[i])] : texture
          }
        }
      }
    }
    let noise = Self.noise(side, &generator)
    let blurred = try gaussian(cells, sigma: look == .bright ? 1.2 : 0.5)
    image = NDArray(uninitialized: [side, side]) { output in
      blurred.withUnsafeBuffer { blurred in
        noise.withUnsafeBuffer { noise in
          for i in output.indices {
            output[i] = blurred[i] + 0.03 * noise[i] + 0.1 * Float(i % side) / Float(side)
          }
        }
      }
    }
  }

  /// Nearly normal, of variance 1: the sum of three even numbers.
  static func noise(_ side: Int, _ generator: inout SeededGenerator) -> NDArray<Float> {
    NDArray(uninitialized: [side, side]) { output in
      for i in output.indices {
        output[i] = (0..<3).reduce(Float(0)) { sum, _ in
          sum + .random(in: -1...1, using: &generator)
        }
      }
    }
  }
}

private struct Ellipse {
  let centre: (row: Float, column: Float)
  let axes: (long: Float, short: Float)
  /// Of the long axis.
  let direction: (row: Float, column: Float)

  init(within side: Int, radii: ClosedRange<Float>, using generator: inout SeededGenerator) {
    centre = (
      .random(in: 0...Float(side), using: &generator),
      .random(in: 0...Float(side), using: &generator)
    )
    let long = Float.random(in: radii, using: &generator)
    axes = (long, long * .random(in: 0.6...1, using: &generator))
    let (row, column) = (
      Float.random(in: -1...1, using: &generator), Float.random(in: 0.1...1, using: &generator)
    )
    let length = (row * row + column * column).squareRoot()
    direction = (row / length, column / length)
  }

  func pixels(within side: Int) -> [Int] {
    func range(_ centre: Float) -> ClosedRange<Int> {
      max(Int(centre - axes.long), 0)...min(max(Int(centre + axes.long) + 1, 0), side - 1)
    }
    return range(centre.row).flatMap { row in
      range(centre.column).filter { column in
        let (y, x) = (Float(row) - centre.row, Float(column) - centre.column)
        let along = (y * direction.row + x * direction.column) / axes.long
        let across = (x * direction.row - y * direction.column) / axes.short
        return along * along + across * across <= 1
      }.map { row * side + $0 }
    }
  }
}
