import Arrays
import Glibc
import ImageAlgorithms

/// A tissue in two channels: nuclei, and the membranes around whole cells.
package struct TissueSample: Sendable {
  /// `[row, column]`, counts of a camera.
  package let nuclearImage: NDArray<Float>
  /// Likewise: bright borders, and a faint glow of what is between them and the nuclei.
  package let membraneImage: NDArray<Float>
  /// `[row, column]`, 0 is background, labels are 1... without gaps.
  package let cells: NDArray<Int32>
  /// Likewise; a nucleus has the label of its cell.
  package let nuclei: NDArray<Int32>

  // Lengths are in pixels of 0.5 µm.

  /// Between the middles of two cells, at least.
  private static let spacing: Float = 18
  /// How far cells reach where no other one is in the way.
  private static let radii: ClosedRange<Float> = 11...15
  /// Of the nucleus to the room that its cell has.
  private static let nucleusShare: ClosedRange<Float> = 0.55...0.75
  private static let leastNucleus: Float = 5
  /// How far borders bend, and over which length.
  private static let (bend, bendLength): (Float, Float) = (2.5, 7)

  /// Cells that share borders where they touch, with gaps where they do not.
  ///
  /// - Parameters:
  ///   - side: pixels of the image along each axis, at least 48.
  ///   - count: cells at most; fewer where there is no more room. Nil: as many as find room.
  ///   - magnification: 1 for pixels of 0.5 µm, 2 for those of half the size.
  package init(
    seed: Int, side: Int = 256, count: Int? = nil, magnification: Float = 1
  ) throws {
    var generator = SeededGenerator(seed: seed)
    let seeds = Self.seeds(side: side, count: count ?? .max, magnification, &generator)
    let bends = try (0..<2).map { _ in
      try Self.clouds(
        side: side, height: Self.bend * magnification, width: Self.bendLength * magnification,
        &generator)
    }
    let field = CellField(seeds, side: side, bends: bends)
    cells = field.labels
    nuclei = Self.nuclei(seeds, in: field, magnification, &generator)
    nuclearImage = try Self.nuclearImage(nuclei, count: seeds.count, magnification, &generator)
    membraneImage = try Self.membraneImage(
      field, nuclei, count: seeds.count, magnification, &generator)
  }

  /// `[row, column]`, smooth numbers of mean 0 and the standard deviation `height`.
  static func clouds(
    side: Int, height: Float, width: Float, _ generator: inout SeededGenerator
  ) throws -> NDArray<Float> {
    let noise = NDArray<Float>(uninitialized: [side, side]) { output in
      for i in output.indices { output[i] = generator.normal() }
    }
    // Made up for what a Gaussian leaves of white noise.
    let scale = height * width * 2 * Float.pi.squareRoot()
    return try gaussian(noise, sigma: Double(width)).map { scale * $0 }
  }

  private static func seeds(
    side: Int, count: Int, _ magnification: Float, _ generator: inout SeededGenerator
  ) -> [CellField.Seed] {
    let margin: Float = 6
    let range = margin...Float(side) - 1 - margin
    let radii = radii.lowerBound * magnification...radii.upperBound * magnification
    var grid = SeedGrid(side: side, pitch: spacing * magnification)
    for _ in 0..<side * side / 12 where grid.seeds.count < count {
      grid.add(
        CellField.Seed(
          row: .random(in: range, using: &generator), column: .random(in: range, using: &generator),
          radius: .random(in: radii, using: &generator)))
    }
    return grid.seeds
  }

  private static func nuclei(
    _ seeds: [CellField.Seed], in field: CellField, _ magnification: Float,
    _ generator: inout SeededGenerator
  ) -> NDArray<Int32> {
    let side = field.labels.shape[0]
    let leastDepth = 1.5 * magnification
    var nuclei = NDArray<Int32>(shape: [side, side])
    nuclei.withUnsafeMutableBuffer { nuclei in
      field.labels.withUnsafeBuffer { labels in
        field.depth.withUnsafeBuffer { depth in
          for (index, seed) in seeds.enumerated() {
            let share = Float.random(in: nucleusShare, using: &generator)
            let long = max(field.room[index] * share, leastNucleus * magnification)
            let ellipse = Ellipse(
              centre: (seed.row, seed.column),
              axes: (long, long * .random(in: 0.75...1, using: &generator)),
              direction: generator.direction())
            ellipse.forEachPixel(rows: side, columns: side) { row, column, _ in
              let i = row * side + column
              if labels[i] == Int32(index + 1), depth[i] >= leastDepth {
                nuclei[i] = Int32(index + 1)
              }
            }
          }
        }
      }
    }
    return nuclei
  }

  private static func nuclearImage(
    _ nuclei: NDArray<Int32>, count: Int, _ magnification: Float,
    _ generator: inout SeededGenerator
  ) throws -> NDArray<Float> {
    let brightness: [Float] =
      [0] + (0..<count).map { _ in .random(in: 700...2200, using: &generator) }
    let sharp = nuclei.map { brightness[Int($0)] }
    let haze = try gaussian(sharp, sigma: 6 * Double(magnification))
    let light = try gaussian(sharp, sigma: 1)
    return Camera.picture(of: light.adding(haze, times: 0.08).map { $0 + 60 }, &generator)
  }

  private static func membraneImage(
    _ field: CellField, _ nuclei: NDArray<Int32>, count: Int, _ magnification: Float,
    _ generator: inout SeededGenerator
  ) throws -> NDArray<Float> {
    let brightness: [Float] =
      [0] + (0..<count).map { _ in .random(in: 600...1600, using: &generator) }
    let sharp = NDArray<Float>(uninitialized: field.labels.shape) { output in
      field.labels.withUnsafeBuffer { labels in
        field.depth.withUnsafeBuffer { depth in
          nuclei.withUnsafeBuffer { nuclei in
            for i in output.indices {
              let depth = depth[i] / magnification
              let border = exp(-depth * depth / 2)
              let plasm: Float = nuclei[i] > 0 ? 0.05 : 0.15
              output[i] = brightness[Int(labels[i])] * max(border, plasm)
            }
          }
        }
      }
    }
    let light = try gaussian(sharp, sigma: 1)
    return Camera.picture(of: light.map { $0 + 60 }, &generator)
  }
}

extension NDArray<Float> {
  fileprivate func adding(_ other: NDArray<Float>, times factor: Float) -> NDArray<Float> {
    NDArray(uninitialized: shape) { output in
      withUnsafeBuffer { own in
        other.withUnsafeBuffer { other in
          for i in output.indices { output[i] = own[i] + factor * other[i] }
        }
      }
    }
  }
}
