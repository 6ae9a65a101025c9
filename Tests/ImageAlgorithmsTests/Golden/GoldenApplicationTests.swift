import Arrays
import ImageAlgorithms
import Synchronization
import TestSupport
import Testing

@Suite(.computing) struct GoldenApplicationTests {
  @Test(
    arguments: Golden.cases("nuclear_segmentation_app")
      + Golden.cases("cytoplasm_segmentation_app"))
  func `a segmentation with recorded answers gives the labels of the reference`(
    golden: GoldenCase
  ) async throws {
    let image = try golden.array("input.npy").floats
    let application: SegmentationApplication =
      golden.function.hasPrefix("nuclear") ? .nuclear : .cytoplasm

    var run = try application.start(
      image, scale: try #require(golden.parameters["scale"].number),
      modelShape: golden.modelShape, batchSize: golden.batchSize)
    let sent = try golden.replay(on: &run)
    #expect(try run.labels() == golden.array("output.npy").labels)
    try golden.expectModelInput(sent)
  }

  @Test(arguments: Golden.cases("mesmer_app"))
  func `Mesmer with recorded answers gives the labels of the reference`(
    golden: GoldenCase
  ) async throws {
    let compartment = MesmerPostprocessing.Compartment(
      rawValue: golden.parameters["compartment"].text)
    let application = MesmerApplication(
      postprocessing: MesmerPostprocessing(compartment: try #require(compartment)))
    #expect(golden.parameters["model_mpp"].number == application.modelResolution)
    var run = try application.start(
      golden.array("input.npy").floats, scale: try #require(golden.parameters["scale"].number),
      modelShape: golden.modelShape, batchSize: golden.batchSize)
    let sent = try golden.replay(on: &run)
    #expect(try run.labels() == golden.array("output.npy").labels)
    try golden.expectModelInput(sent)
  }

  @Test(arguments: Golden.cases("nuclear_segmentation_app"), [1, 3])
  func `calls in flight at the same time give the same labels`(
    golden: GoldenCase, concurrentCalls: Int
  ) async throws {
    let image = try golden.array("input.npy").floats
    let heads = try golden.outputs()
    let batchSize = golden.batchSize
    let run = try SegmentationApplication.nuclear.start(
      image, scale: try #require(golden.parameters["scale"].number),
      modelShape: golden.modelShape, batchSize: batchSize)
    let batches = try (0..<run.batchCount).map { try run.batch($0) }

    var steps: [SegmentationProgress] = []
    let labels = try await SegmentationApplication.nuclear.labels(
      of: image, scale: try #require(golden.parameters["scale"].number),
      modelShape: golden.modelShape, batchSize: batchSize,
      concurrentCalls: concurrentCalls, progress: { steps.append($0) },
      predict: { batch in
        let index = try #require(batches.firstIndex(of: batch))
        // The first answers last.
        for _ in index..<batches.count { await Task.yield() }
        let start = index * batchSize
        return heads.map { AnyNDArray($0.slice(start..<start + batch.shape[0])) }
      })
    #expect(try labels == golden.array("output.npy").labels)
    #expect(steps.first == .prepared(tiles: run.tileCount))
    #expect(steps.contains(.predicted(tiles: run.tileCount, of: run.tileCount)))
    #expect(steps.last == .labelled(items: 1, of: 1))
  }
}

extension GoldenCase {
  /// The recorded outputs of a model, each with the tiles of all calls.
  func outputs() throws -> [NDArray<Float>] {
    try types.keys.filter { $0.hasPrefix("model_output_") }.sorted().map { try array($0).floats }
  }

  var modelShape: Shape { [-1] + parameters["model_input_shape"].integers }
  var batchSize: Int { parameters["batch_size"].integer ?? 0 }

  /// Answers all calls of a run as recorded.
  ///
  /// - Returns: what was sent, the tiles of all calls.
  func replay(on run: inout some ModelRun) throws -> NDArray<Float> {
    let heads = try outputs()
    let calls = parameters["calls"].integers
    #expect(run.batchCount == calls.count)
    var batches: [NDArray<Float>] = []
    for index in 0..<run.batchCount {
      let batch = try run.batch(index)
      #expect(batch.shape[0] == calls[index])
      batches.append(batch)
      let range = run.answeredTiles..<run.answeredTiles + calls[index]
      try run.accept(heads.map { AnyNDArray($0.slice(range)) })
    }
    return try NDArray.concatenated(batches)
  }

  /// Compares what was sent to the model with what the reference sent.
  func expectModelInput(_ sent: NDArray<Float>) throws {
    let expected = try array("model_input.npy").floats
    #expect(sent.shape == expected.shape)
    let difference = zip(sent.elements, expected.elements).map { abs(Double($0) - Double($1)) }
    if parameters["scale"].number == 1 {
      #expect(difference.allSatisfy { $0 == 0 })
    } else {
      // Interpolation may move a pixel into the next bin of the histogram.
      #expect(difference.allSatisfy { $0 <= 2e-2 })
      #expect(difference.count { $0 > 3e-4 } <= difference.count / 2000)
    }
  }
}
