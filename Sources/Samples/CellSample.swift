import Arrays
import ImageAlgorithms

/// Cells or nuclei of one channel, drawn at random, and where they are.
package struct CellSample: Sendable {
  /// `[row, column]`, about 0...1.
  package let image: NDArray<Float>
  /// `[row, column]`, 0 is background, labels are 1... without gaps.
  package let labels: NDArray<Int32>

  package enum Look: Sendable {
    /// Brighter than the ground, as in fluorescence.
    case bright
    /// As bright as the ground, but uneven, as in phase contrast.
    case textured
  }

  /// Ellipses that do not overlap, on a ground that grows brighter, with noise.
  ///
  /// - Parameters:
  ///   - side: pixels of the image along each axis.
  ///   - count: cells at most; fewer where there is no more room.
  ///   - radii: of the longer axis, in pixels.
  package init(
    seed: Int, side: Int = 256, count: Int, radii: ClosedRange<Float>, look: Look = .bright
  ) throws {
    var generator = SeededGenerator(seed: seed)
    var labels = NDArray<Int32>(shape: [side, side])
    var brightness: [Float] = [0]
    for _ in 0..<count * 20 where brightness.count <= count {
      let pixels = Ellipse(within: side, radii: radii, using: &generator).pixels(within: side)
      let isFree = labels.withUnsafeBuffer { labels in pixels.allSatisfy { labels[$0] == 0 } }
      guard isFree, pixels.count >= 30 else { continue }
      labels.withUnsafeMutableBuffer { labels in
        for i in pixels { labels[i] = Int32(brightness.count) }
      }
      brightness.append(.random(in: 0.3...1, using: &generator))
    }
    self.labels = labels
    image = try Self.drawn(labels, brightness, look, &generator)
  }

  /// The image as a camera of 16 bits counts it.
  package var counts: NDArray<Float> {
    image.map { min(max((3000 * $0 + 500).rounded(), 0), 65535) }
  }

  private static func drawn(
    _ labels: NDArray<Int32>, _ brightness: [Float], _ look: Look,
    _ generator: inout SeededGenerator
  ) throws -> NDArray<Float> {
    let side = labels.shape[0]
    let grain = try gaussian(noise(side, &generator), sigma: 1.5)
    let cells = NDArray<Float>(uninitialized: [side, side]) { output in
      labels.withUnsafeBuffer { labels in
        grain.withUnsafeBuffer { grain in
          for i in output.indices {
            let texture = labels[i] > 0 ? 0.7 * grain[i] : 0
            output[i] = look == .bright ? brightness[Int(labels[i])] : texture
          }
        }
      }
    }
    let noise = noise(side, &generator)
    let blurred = try gaussian(cells, sigma: look == .bright ? 1.2 : 0.5)
    return NDArray(uninitialized: [side, side]) { output in
      blurred.withUnsafeBuffer { blurred in
        noise.withUnsafeBuffer { noise in
          for i in output.indices {
            output[i] = blurred[i] + 0.03 * noise[i] + 0.1 * Float(i % side) / Float(side)
          }
        }
      }
    }
  }

  /// `[row, column]`, nearly normal, of variance 1: the sum of three even numbers.
  package static func noise(_ side: Int, _ generator: inout SeededGenerator) -> NDArray<Float> {
    NDArray(uninitialized: [side, side]) { output in
      for i in output.indices {
        output[i] = (0..<3).reduce(Float(0)) { sum, _ in
          sum + .random(in: -1...1, using: &generator)
        }
      }
    }
  }
}

extension Ellipse {
  fileprivate init(
    within side: Int, radii: ClosedRange<Float>, using generator: inout SeededGenerator
  ) {
    centre = (
      .random(in: 0...Float(side), using: &generator),
      .random(in: 0...Float(side), using: &generator)
    )
    let long = Float.random(in: radii, using: &generator)
    axes = (long, long * .random(in: 0.6...1, using: &generator))
    direction = generator.direction()
  }

  fileprivate func pixels(within side: Int) -> [Int] {
    var pixels: [Int] = []
    forEachPixel(rows: side, columns: side) { row, column, _ in pixels.append(row * side + column) }
    return pixels
  }
}
