import Arrays
import ImageAlgorithms
import Samples
import TestSupport
import Testing

@testable import ClassicalModels

/// What is told of an image from its raw pixels.
@Suite(.computing) struct DetectionTests {
  /// Answers to all tiles of an image, as a job has them made.
  private func answers(_ model: ClassicalModel, _ image: NDArray<Float>) throws -> [[Float]] {
    let batch = image.expandingDimensions(at: 0).expandingDimensions(at: 3)
    let tiling = try Tiling(shape: batch.shape, modelRows: 216, modelColumns: 216, edge: .zero)
    let tiles = try tiling.tiles(0..<tiling.count, of: batch)
    return try (0..<tiling.count).map { try model.answer([tiles.slice($0)])[0].elements }
  }

  private func scale(_ image: NDArray<Float>) throws -> Float {
    let scales = try answers(.scale, image).map { $0[0] }
    return scales.reduce(0, +) / Float(scales.count)
  }

  private func label(_ image: NDArray<Float>) throws -> Int {
    let scores = try answers(.label, image)
    let sums = (0..<3).map { label in scores.reduce(0) { $0 + $1[label] } }
    return try #require(sums.indices.max { sums[$0] < sums[$1] })
  }

  private func resize(_ image: NDArray<Float>, to side: Int) throws -> NDArray<Float> {
    try resized(
      image.expandingDimensions(at: 0).expandingDimensions(at: 3), rows: side, columns: side
    ).slice(0).channel(0)
  }

  /// Bright discs of one size with noise, as a camera counts light.
  private func discs(radius: Float, side: Int = 216) throws -> NDArray<Float> {
    var generator = SeededGenerator(seed: Int(radius))
    let pitch = Int(radius * 3.2)
    var centres: [(row: Float, column: Float)] = []
    for row in stride(from: pitch / 2, to: side, by: pitch) {
      for column in stride(from: pitch / 2, to: side, by: pitch) {
        centres.append(
          (
            Float(row) + .random(in: -radius...radius, using: &generator) / 4,
            Float(column) + .random(in: -radius...radius, using: &generator) / 4
          ))
      }
    }
    let sharp = NDArray<Float>(uninitialized: [side, side]) { output in
      for i in output.indices {
        let isBright = centres.contains {
          let (y, x) = ($0.row - Float(i / side), $0.column - Float(i % side))
          return y * y + x * x <= radius * radius
        }
        output[i] = isBright ? 900 : 200
      }
    }
    return combined(try gaussian(sharp, sigma: 1), CellSample.noise(side, &generator)) {
      $0 + 10 * $1
    }
  }

  @Test(arguments: [5, 8, 12, 16, 24] as [Float])
  func `the scale is that of the discs in an image`(radius: Float) throws {
    let ideal = NucleusSize.expectedDiameter / (2 * radius)
    let scale = try scale(discs(radius: radius))
    #expect((0.8...1.2).contains(scale / ideal), "\(scale), should be \(ideal)")
  }

  @Test func `an image with larger nuclei gets a smaller scale in proportion`() throws {
    let image = try ExampleImage.nuclei()
    let middle = Part(rows: 40..<472, columns: 40..<472).cut(from: image)
    let reference = try scale(middle)
    #expect((0.7...1.4).contains(reference))
    let twice = try scale(resize(middle, to: 864))
    #expect((0.7...1.3).contains(2 * twice / reference), "\(twice), \(reference) at its size")
    let half = try scale(resize(middle, to: 216))
    #expect((0.7...1.3).contains(half / 2 / reference), "\(half), \(reference) at its size")
  }

  @Test(arguments: [0, 1, 40000, -5, Float.nan, .infinity, .greatestFiniteMagnitude])
  func `where there is nothing the scale is 1 and no label is likelier`(value: Float) throws {
    let tile = NDArray<Float>(shape: [216, 216], repeating: value)
    #expect(try scale(tile) == 1)
    let scores = try #require(try answers(.label, tile).first)
    #expect(scores.allSatisfy { abs($0 - 1 / 3) < 1e-6 })
  }

  @Test func `noise has no scale`() throws {
    var generator = SeededGenerator(seed: 9)
    let noise = CellSample.noise(216, &generator).map { 500 + 20 * $0 }
    #expect(try scale(noise) == 1)
  }

  @Test func `zeros around a small image do not matter`() throws {
    let image = try discs(radius: 9)
    let alone = Part(rows: 0..<130, columns: 0..<150).cut(from: image)
    let padded = NDArray<Float>(uninitialized: [216, 216]) { output in
      for i in output.indices {
        output[i] = i / 216 < 130 && i % 216 < 150 ? image[i / 216, i % 216] : 0
      }
    }
    #expect(TileContent(padded).pixels == alone)
    #expect(abs(try scale(padded) * 18 / NucleusSize.expectedDiameter - 1) < 0.2)
  }

  @Test func `the unit of brightness does not matter`() throws {
    let image = try discs(radius: 10)
    let (scale, label) = (try scale(image), try label(image))
    for (factor, offset): (Float, Float) in [(0.01, 0), (50, 1000), (0.001, -7)] {
      let other = image.map { $0 * factor + offset }
      #expect(abs(try self.scale(other) - scale) < 0.02)
      #expect(try self.label(other) == label)
    }
  }

  @Test func `a real image of nuclei is told to be one`() throws {
    let image = try ExampleImage.nuclei()
    #expect(try label(image) == 0)
    #expect(try label(resize(image, to: 256)) == 0)
  }

  @Test(arguments: 0..<3) func `kinds of images are told apart`(seed: Int) throws {
    let nuclei = try CellSample(seed: seed, count: 30, radii: 8...13)
    #expect(try label(nuclei.image) == 0)
    let cells = try CellSample(seed: seed, count: 60, radii: 20...34)
    #expect(try label(cells.image) == 1)
    let phase = try CellSample(seed: seed, count: 12, radii: 20...32, look: .textured)
    #expect(try label(phase.image.map { 2000 + 400 * $0 }) == 2)
  }

  @Test(arguments: 0..<10) func `scores sum to one and scales stay in range`(seed: Int) throws {
    var generator = SeededGenerator(seed: seed)
    let tile = NDArray<Float>(uninitialized: [216, 216, 1]) { output in
      for i in output.indices {
        output[i] = Float(bitPattern: .random(in: 0...UInt32.max, using: &generator))
      }
    }
    let scores = try ClassicalModel.label.answer([tile])[0].elements
    #expect(scores.allSatisfy { (0...1).contains($0) })
    #expect(abs(scores.reduce(0, +) - 1) < 1e-5)
    #expect(NucleusSize.range.contains(try ClassicalModel.scale.answer([tile])[0].elements[0]))
  }
}
