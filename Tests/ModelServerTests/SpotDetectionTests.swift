import Arrays
import ImageAlgorithms
import Samples
import TestSupport
import Testing

@testable import ClassicalModels

/// SpotDetection:3 in what a spot job computes around it.
@Suite(.computing) struct SpotDetectionTests {
  /// `[spot, axis]`
  private func spots(_ image: NDArray<Float>, clips: Bool = false) async throws -> NDArray<Double> {
    var application = SpotApplication()
    application.clips = clips
    var run = try application.start(
      image.expandingDimensions(at: 0).expandingDimensions(at: 3), modelShape: [-1, 128, 128, 1],
      batchSize: 4)
    try await run.predict(concurrentCalls: 1) { try ClassicalModel.spots.answers($0) }
    return try run.spots()[0]
  }

  @Test(arguments: 0..<5) func `spots are found to a part of a pixel`(seed: Int) async throws {
    let sample = try SpotSample(seed: seed, side: 256, count: 40 + 80 * seed)
    let score = SpotScore(found: try await spots(sample.image), truth: sample.spots)
    #expect(score.precision >= 0.95 && score.recall >= 0.95, "\(score)")
    #expect(score.distance < 0.2, "\(score)")
  }

  @Test(arguments: 0..<2) func `spots in cells are found in clipped images`(
    seed: Int
  ) async throws {
    let sample = try SpotSample(seed: seed, side: 300, count: 150, hasTissue: true)
    let score = SpotScore(
      found: try await spots(sample.image, clips: true), truth: sample.spots)
    #expect(score.precision >= 0.95 && score.recall >= 0.95, "\(score)")
  }

  @Test(arguments: [0, 1]) func `noise has no spots`(clips: Int) async throws {
    let empty = try SpotSample(seed: 11, side: 256, count: 0)
    let found = try await spots(empty.image, clips: clips == 1)
    #expect(found.shape[0] <= 2)
  }

  @Test func `nuclei are no spots`() async throws {
    let cells = try CellSample(seed: 2, side: 256, count: 35, radii: 8...13)
    let found = try await spots(cells.counts)
    #expect(found.shape[0] <= 2)
  }

  @Test func `an even image has no spots`() async throws {
    let found = try await spots(NDArray(shape: [200, 200], repeating: 7))
    #expect(found.shape[0] == 0)
  }

  @Test func `probabilities sum to one and offsets are short, whatever the numbers`() throws {
    var generator = SeededGenerator(seed: 5)
    let tile = NDArray<Float>(uninitialized: [128, 128, 1]) { output in
      for i in output.indices {
        output[i] = Float(bitPattern: .random(in: 0...UInt32.max, using: &generator))
      }
    }
    let heads = try ClassicalModel.spots.answer([tile])
    #expect(heads.map(\.shape) == [[128, 128, 2], [128, 128, 2]])
    let sums = combined(heads[0].channel(0), heads[0].channel(1)) { $0 + $1 }
    #expect(sums.elements.allSatisfy { abs($0 - 1) < 1e-5 })
    #expect(heads[0].elements.allSatisfy { (0...1).contains($0) })
    #expect(heads[1].elements.allSatisfy { abs($0) <= 2.5 })
  }
}
