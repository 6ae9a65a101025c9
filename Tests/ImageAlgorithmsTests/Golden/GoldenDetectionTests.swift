import Arrays
import ImageAlgorithms
import TestSupport
import Testing

@Suite(.computing) struct GoldenDetectionTests {
  /// A run whose model has answered as recorded.
  private func run(
    _ golden: GoldenCase, valueCount: Int, tiles: NDArray<Float>
  ) throws -> DetectionRun {
    var run = try DetectionRun(
      golden.array("input.npy").floats, modelShape: golden.modelShape,
      batchSize: golden.batchSize, valueCount: valueCount)
    #expect(try golden.replay(on: &run) == tiles)
    return run
  }

  @Test(arguments: Golden.cases("scale_detection_app"))
  func `a scale is detected as by the reference`(golden: GoldenCase) throws {
    let tiles = try golden.array("model_input.npy").floats
    let scale = try run(golden, valueCount: 1, tiles: tiles).scale()
    #expect(abs(scale - (try #require(golden.values["value"].number))) <= 1e-12)
  }

  @Test(arguments: Golden.cases("label_detection_app"))
  func `a kind is detected as by the reference`(golden: GoldenCase) throws {
    let recorded = Golden.folder.appending(path: golden.parameters["model_input_same_as"].text)
    let tiles = try GoldenArray(file: recorded.appending(path: "model_input.npy")).floats
    #expect(
      try run(golden, valueCount: 3, tiles: tiles).label() == golden.values["value"].integer)
  }
}
