import Arrays
import ImageAlgorithms
import Samples
import TestSupport
import Testing

@testable import ClassicalModels

/// The models in what a job computes around them, without the network between.
@Suite(.computing) struct SegmentationTests {
  private static let segmentationModels: [ClassicalModel] = [.nuclei, .cytoplasm, .phase]

  private func labels(_ image: NDArray<Float>, _ model: ClassicalModel) async throws -> NDArray<
    Int32
  > {
    let batch = image.expandingDimensions(at: 0).expandingDimensions(at: 3)
    return try await SegmentationApplication.nuclear.labels(
      of: batch, modelShape: [-1, 256, 256, 1], batchSize: 4, concurrentCalls: 1
    ) { try model.answers($0) }.slice(0).channel(0)
  }

  @Test(arguments: 0..<3) func `nuclei are found`(seed: Int) async throws {
    let cells = try CellSample(seed: seed, count: 35, radii: 8...13)
    let score = DetectionScore(found: try await labels(cells.image, .nuclei), truth: cells.labels)
    #expect(score.f1 >= 0.9, "\(score)")
  }

  @Test func `nuclei are found across tiles`() async throws {
    let cells = try CellSample(seed: 5, side: 300, count: 50, radii: 8...13)
    let score = DetectionScore(found: try await labels(cells.image, .nuclei), truth: cells.labels)
    #expect(score.f1 >= 0.9, "\(score)")
  }

  @Test(arguments: 0..<2) func `whole cells are found`(seed: Int) async throws {
    let cells = try CellSample(seed: seed, count: 10, radii: 18...32)
    let score = DetectionScore(
      found: try await labels(cells.image, .cytoplasm), truth: cells.labels)
    #expect(score.f1 >= 0.9, "\(score)")
  }

  @Test(arguments: 0..<2) func `cells are found by their texture`(seed: Int) async throws {
    let cells = try CellSample(seed: seed, count: 8, radii: 20...32, look: .textured)
    let score = DetectionScore(found: try await labels(cells.image, .phase), truth: cells.labels)
    #expect(score.f1 >= 0.8, "\(score)")
  }

  @Test func `one large bright area is one object`() async throws {
    var generator = SeededGenerator(seed: 1)
    let noise = CellSample.noise(256, &generator)
    let disc = NDArray<Float>(uninitialized: [256, 256]) { output in
      for i in output.indices {
        let (y, x) = (i / 256 - 128, i % 256 - 120)
        output[i] = y * y + x * x <= 70 * 70 ? 1 : 0
      }
    }
    let image = combined(disc, noise) { $0 + 0.03 * $1 }
    let found = try await labels(image, .nuclei)
    let score = DetectionScore(found: found, truth: disc.map { Int32($0) }, overlap: 0.9)
    #expect(score.matches == 1 && score.foundCount == 1, "\(score)")
  }

  @Test(arguments: segmentationModels, [0.0, 1, 2])
  func `noise is no cell, whatever its grain`(model: ClassicalModel, grain: Double) async throws {
    var generator = SeededGenerator(seed: 2)
    let noise = try gaussian(CellSample.noise(256, &generator), sigma: grain)
    let found = try await labels(noise, model)
    #expect(try #require(found.elements.max()) <= 2)
  }

  @Test(arguments: segmentationModels)
  func `an even tile has no object, whatever its value`(model: ClassicalModel) throws {
    for value: Float in [0, 0.5, 1, -3, 65535, .greatestFiniteMagnitude, .infinity, .nan] {
      let heads = try model.answer([NDArray(shape: [256, 256, 1], repeating: value)])
      for head in heads { #expect(head.elements.allSatisfy { $0 == 0 }, "\(value)") }
    }
  }

  @Test(arguments: segmentationModels)
  func `numbers of any size are borne`(model: ClassicalModel) throws {
    var generator = SeededGenerator(seed: 4)
    let tile = NDArray<Float>(uninitialized: [256, 256, 1]) { output in
      for i in output.indices {
        output[i] = Float(bitPattern: .random(in: 0...UInt32.max, using: &generator))
      }
    }
    for head in try model.answer([tile]) {
      #expect(head.elements.allSatisfy { (0...1).contains($0) })
    }
  }

  @Test func `overlapping tiles agree on what they share`() throws {
    let cells = try CellSample(seed: 6, side: 448, count: 90, radii: 8...13)
    func tile(from left: Int) -> NDArray<Float> {
      NDArray(uninitialized: [256, 256, 1]) { output in
        cells.image.withUnsafeBuffer { image in
          for i in output.indices { output[i] = image[i / 256 * 448 + left + i % 256] }
        }
      }
    }
    let (first, second) = (
      try ClassicalModel.nuclei.answer([tile(from: 0)])[1],
      try ClassicalModel.nuclei.answer([tile(from: 192)])[1]
    )
    // Columns 192..<256 of the first are columns 0..<64 of the second. Near a tile's edge its maps
    // have little weight, and none of them where the other one's edge is.
    var differing = 0
    for row in 0..<256 {
      for column in 16..<48
      where (first[row, 192 + column, 0] > 0.5) != (second[row, column, 0] > 0.5) {
        differing += 1
      }
    }
    #expect(differing <= 256 * 32 / 50, "\(differing) pixels")
  }
}
