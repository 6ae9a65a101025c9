import Arrays
import Glibc
import ImageAlgorithms

/// Spots of single molecules, their places between pixels known.
package struct SpotSample: Sendable {
  /// The middle of a pixel has whole numbers.
  package struct Spot: Sendable {
    package let row: Double
    package let column: Double
  }

  /// `[row, column]`, counts of a camera.
  package let image: NDArray<Float>
  package let spots: [Spot]
  /// What they lie in, if wanted.
  package let tissue: TissueSample?

  /// Pixels between two spots, at least: nearer ones are one for a microscope.
  private static let spacing: Float = 5
  /// Pixels along the edges without spots: of those only a part would be seen.
  private static let margin: Float = 3
  /// Standard deviation of a spot, in pixels.
  private static let width: ClosedRange<Float> = 1.1...1.4
  /// Electrons in the middle of a spot, and on the ground.
  private static let (brightness, ground): (ClosedRange<Float>, Float) = (250...900, 80)

  /// - Parameters:
  ///   - side: pixels of the image along each axis, at least 48.
  ///   - count: spots at most; fewer where there is no more room.
  ///   - hasTissue: makes a tissue, too, and puts spots only into its cells.
  package init(seed: Int, side: Int = 256, count: Int, hasTissue: Bool = false) throws {
    var generator = SeededGenerator(seed: seed)
    tissue = hasTissue ? try TissueSample(seed: seed, side: side) : nil
    let cells = tissue?.cells
    var grid = SeedGrid(side: side, pitch: Self.spacing)
    let range = Self.margin...Float(side) - 1 - Self.margin
    for _ in 0..<count * 20 where grid.seeds.count < count {
      let seed = CellField.Seed(
        row: .random(in: range, using: &generator), column: .random(in: range, using: &generator),
        radius: .random(in: Self.width, using: &generator))
      if let cells, cells[Int(seed.row.rounded()), Int(seed.column.rounded())] == 0 { continue }
      grid.add(seed)
    }
    spots = grid.seeds.map { Spot(row: Double($0.row), column: Double($0.column)) }

    var light = try Self.ground(side: side, &generator)
    light.withUnsafeMutableBuffer { light in
      for spot in grid.seeds {
        Self.draw(
          spot, brightness: .random(in: Self.brightness, using: &generator), side: side, on: light)
      }
    }
    image = Camera.picture(of: light, &generator)
  }

  /// What glows without being a spot: clouds much wider than one.
  private static func ground(
    side: Int, _ generator: inout SeededGenerator
  ) throws -> NDArray<Float> {
    let noise = NDArray<Float>(uninitialized: [side, side]) { output in
      for i in output.indices { output[i] = generator.normal() }
    }
    let sigma = 12.0
    let scale = ground / 3 * 2 * Float(Double.pi.squareRoot() * sigma)
    return try gaussian(noise, sigma: sigma).map { max(ground + scale * $0, 0) }
  }

  /// - Parameter spot: its radius is its standard deviation.
  private static func draw(
    _ spot: CellField.Seed, brightness: Float, side: Int,
    on light: UnsafeMutableBufferPointer<Float>
  ) {
    let reach = 4 * spot.radius
    func range(_ centre: Float) -> ClosedRange<Int> {
      max(Int(centre - reach), 0)...min(Int(centre + reach) + 1, side - 1)
    }
    for row in range(spot.row) {
      for column in range(spot.column) {
        let square = spot.squaredDistance(row: Float(row), column: Float(column))
        light[row * side + column] += brightness * exp(-square / (2 * spot.radius * spot.radius))
      }
    }
  }
}
