import Arrays
import ImageAlgorithms
import TestSupport
import Testing

@Suite(.computing) struct GoldenDetectionTests {
  /// A run whose model has answered as recorded.
  private func run(
    _ golden: GoldenCase, valueCount: Int, tiles: NDArray<Float>
  ) throws -> DetectionRun {
    let answers = try #require(try golden.outputs().first)
    let calls = golden.parameters["calls"].integers
    var run = try DetectionRun(
      golden.array("input.npy").floats,
      modelShape: [-1] + golden.parameters["model_input_shape"].integers,
      batchSize: try #require(golden.parameters["batch_size"].integer), valueCount: valueCount)
    #expect(run.batchCount == calls.count)
    #expect(run.tileCount == calls.reduce(0, +))
    for index in 0..<run.batchCount {
      let range = run.answeredTiles..<run.answeredTiles + calls[index]
      let batch = try run.batch(index)
      #expect(batch == tiles.slice(range))
      #expect(batch.shape[0] == calls[index])
      try run.accept([AnyNDArray(answers.slice(range))])
    }
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
