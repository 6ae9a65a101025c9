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

  /// Pixels between the middles of two cells, at least.
  private static let spacing: Float = 18
  /// How far cells reach where no other one is in the way.
  private static let radii: ClosedRange<Float> = 11...15
  /// Of the nucleus to the room that its cell has.
  private static let nucleusShare: ClosedRange<Float> = 0.55...0.75
  /// How far borders bend, and over which length.
  private static let (bend, bendLength): (Float, Double) = (2.5, 7)

  /// Cells that share borders where they touch, with gaps where they do not.
  ///
  /// - Parameters:
  ///   - side: pixels of the image along each axis, at least 48.
  ///   - count: cells at most; fewer where there is no more room. Nil: as many as find room.
  package init(seed: Int, side: Int = 256, count: Int? = nil) throws {
    var generator = SeededGenerator(seed: seed)
    let seeds = Self.seeds(side: side, count: count ?? .max, &generator)
    let field = try CellField(
      seeds, side: side,
      bends: (0..<2).map { _ in
        let noise = NDArray<Float>(uninitialized: [side, side]) { output in
          for i in output.indices { output[i] = generator.normal() }
        }
        // What a Gaussian leaves of white noise, made as strong as wanted.
        let scale = Self.bend * 2 * Float(Double.pi.squareRoot() * Self.bendLength)
        return try gaussian(noise, sigma: Self.bendLength).map { scale * $0 }
      })
    cells = field.labels
    nuclei = Self.nuclei(seeds, in: field, &generator)
    nuclearImage = try Self.nuclearImage(nuclei, count: seeds.count, &generator)
    membraneImage = try Self.membraneImage(field, nuclei, count: seeds.count, &generator)
  }

  private static func seeds(
    side: Int, count: Int, _ generator: inout SeededGenerator
  ) -> [CellField.Seed] {
    let margin: Float = 6
    let attempts = side * side / 12
    var grid = SeedGrid(side: side, pitch: spacing)
    for _ in 0..<attempts where grid.seeds.count < count {
      let seed = CellField.Seed(
        row: .random(in: margin...Float(side) - 1 - margin, using: &generator),
        column: .random(in: margin...Float(side) - 1 - margin, using: &generator),
        radius: .random(in: radii, using: &generator))
      grid.add(seed)
    }
    return grid.seeds
  }

  private static func nuclei(
    _ seeds: [CellField.Seed], in field: CellField, _ generator: inout SeededGenerator
  ) -> NDArray<Int32> {
    let side = field.labels.shape[0]
    var nuclei = NDArray<Int32>(shape: [side, side])
    nuclei.withUnsafeMutableBuffer { nuclei in
      field.labels.withUnsafeBuffer { labels in
        field.depth.withUnsafeBuffer { depth in
          for (index, seed) in seeds.enumerated() {
            let room = field.room[index]
            let long = max(room * .random(in: nucleusShare, using: &generator), 5)
            let ellipse = Ellipse(
              centre: (seed.row, seed.column),
              axes: (long, long * .random(in: 0.75...1, using: &generator)),
              direction: generator.direction())
            ellipse.forEachPixel(rows: side, columns: side) { row, column, _ in
              let i = row * side + column
              if labels[i] == Int32(index + 1), depth[i] >= 1.5 { nuclei[i] = Int32(index + 1) }
            }
          }
        }
      }
    }
    return nuclei
  }

  private static func nuclearImage(
    _ nuclei: NDArray<Int32>, count: Int, _ generator: inout SeededGenerator
  ) throws -> NDArray<Float> {
    let brightness: [Float] =
      [0] + (0..<count).map { _ in .random(in: 700...2200, using: &generator) }
    let sharp = nuclei.map { brightness[Int($0)] }
    let haze = try gaussian(sharp, sigma: 6)
    let light = try gaussian(sharp, sigma: 1)
    return Camera.picture(of: light.adding(haze, times: 0.08).map { $0 + 60 }, &generator)
  }

  private static func membraneImage(
    _ field: CellField, _ nuclei: NDArray<Int32>, count: Int, _ generator: inout SeededGenerator
  ) throws -> NDArray<Float> {
    let brightness: [Float] =
      [0] + (0..<count).map { _ in .random(in: 600...1600, using: &generator) }
    let sharp = NDArray<Float>(uninitialized: field.labels.shape) { output in
      field.labels.withUnsafeBuffer { labels in
        field.depth.withUnsafeBuffer { depth in
          nuclei.withUnsafeBuffer { nuclei in
            for i in output.indices {
              let border = exp(-depth[i] * depth[i] / 2)
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
