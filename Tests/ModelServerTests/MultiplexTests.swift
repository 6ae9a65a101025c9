import Arrays
import ImageAlgorithms
import Samples
import TestSupport
import Testing

@testable import ClassicalModels

/// MultiplexSegmentation:9 in what a Mesmer job computes around it.
@Suite(.computing) struct MultiplexTests {
  private static let shape = [-1, 256, 256, 2]

  /// `[row, column, compartment]`: whole cells, nuclei.
  private func labels(
    _ nuclei: NDArray<Float>, _ membranes: NDArray<Float>
  ) async throws -> NDArray<Int32> {
    let image = NDArray<Float>(uninitialized: [1] + nuclei.shape + [2]) { output in
      nuclei.withUnsafeBuffer { nuclei in
        membranes.withUnsafeBuffer { membranes in
          for i in nuclei.indices {
            (output[2 * i], output[2 * i + 1]) = (nuclei[i], membranes[i])
          }
        }
      }
    }
    let application = MesmerApplication(postprocessing: MesmerPostprocessing(compartment: .both))
    return try await application.labels(
      of: image, modelShape: Self.shape, batchSize: 4, concurrentCalls: 1
    ) { try ClassicalModel.multiplex.answers($0) }.slice(0)
  }

  @Test(arguments: 0..<3) func `whole cells and nuclei are found`(seed: Int) async throws {
    let tissue = try TissueSample(seed: seed, side: 256)
    let found = try await labels(tissue.nuclearImage, tissue.membraneImage)
    let cells = DetectionScore(found: found.channel(0), truth: tissue.cells)
    #expect(cells.f1 >= 0.8, "\(cells)")
    let nuclei = DetectionScore(found: found.channel(1), truth: tissue.nuclei)
    #expect(nuclei.f1 >= 0.8, "\(nuclei)")
    let strict = DetectionScore(found: found.channel(0), truth: tissue.cells, overlap: 0.6)
    #expect(strict.f1 >= 0.8, "\(strict)")
    let strictNuclei = DetectionScore(found: found.channel(1), truth: tissue.nuclei, overlap: 0.6)
    #expect(strictNuclei.f1 >= 0.8, "\(strictNuclei)")
  }

  @Test func `whole cells are found across tiles`() async throws {
    let tissue = try TissueSample(seed: 7, side: 400)
    let found = try await labels(tissue.nuclearImage, tissue.membraneImage)
    let cells = DetectionScore(found: found.channel(0), truth: tissue.cells)
    #expect(cells.f1 >= 0.8, "\(cells)")
  }

  @Test func `cells without any stain are their nuclei, a little grown`() async throws {
    let tissue = try TissueSample(seed: 3, side: 256)
    let blank = NDArray<Float>(shape: [256, 256], repeating: 100)
    let found = try await labels(tissue.nuclearImage, blank)
    let score = DetectionScore(found: found.channel(0), truth: found.channel(1), overlap: 0.4)
    #expect(score.f1 >= 0.9, "\(score)")
    let areas = [0, 1].map { channel in found.channel(channel).elements.count { $0 > 0 } }
    #expect(areas[0] > areas[1] && areas[0] < 2 * areas[1], "\(areas)")
  }

  @Test func `an even image has no cell`() async throws {
    let even = NDArray<Float>(shape: [256, 256], repeating: 500)
    #expect(try await labels(even, even).elements.max() == 0)
  }

  @Test func `maps are probabilities of the recorded shapes, whatever the numbers`() throws {
    var generator = SeededGenerator(seed: 4)
    let tile = NDArray<Float>(uninitialized: [256, 256, 2]) { output in
      for i in output.indices {
        output[i] = Float(bitPattern: .random(in: 0...UInt32.max, using: &generator))
      }
    }
    let heads = try ClassicalModel.multiplex.answer([tile])
    #expect(heads.map { $0.shape[2] } == [1, 3, 1, 3])
    for head in heads { #expect(head.elements.allSatisfy { (0...1).contains($0) }) }
    for classes in [heads[1], heads[3]] {
      let sums = (0..<3).map { classes.channel($0) }.reduce(NDArray(shape: [256, 256])) {
        combined($0, $1) { $0 + $1 }
      }
      #expect(sums.elements.allSatisfy { abs($0 - 1) < 1e-5 })
    }
  }
}
