import Arrays
import ImageAlgorithms
import TestSupport
import Testing

@Suite(.computing) struct DetectionRunTests {
  private let image = NDArray<Float>(
    shape: [1, 100, 40, 1], elements: (0..<4000).map { Float($0 % 91) })
  private let shape: Shape = [-1, 32, 32, 1]

  private func answer(_ shape: Shape, _ values: [Float]) -> [AnyNDArray] {
    [AnyNDArray(NDArray(shape: shape, elements: values))]
  }

  /// A run over tiles the model has answered with one row of `rows` each.
  private func answered(_ rows: [[Float]]) async throws -> DetectionRun {
    let image = NDArray<Float>(
      shape: [rows.count, 8, 8, 1], elements: (0..<rows.count * 64).map { Float($0 / 64) })
    var run = try DetectionRun(
      image, modelShape: [-1, 8, 8, 1], batchSize: 2, valueCount: rows[0].count)
    try await run.predict(concurrentCalls: 3) { batch in
      let tiles = batch.shape[0]
      let first = Int(batch[0, 0, 0, 0])
      // The first answers last.
      for _ in first..<rows.count { await Task.yield() }
      return [
        AnyNDArray(
          NDArray<Float>(
            shape: [tiles, rows[0].count], elements: rows[first..<first + tiles].joined()))
      ]
    }
    return run
  }

  @Test func `a scale is the mean over all tiles, and 1 if it is almost that`() async throws {
    #expect(try await answered([[0.5], [1], [3]]).scale() == 1.5)
    #expect(try await answered([[1], [1.009]]).scale() == 1)
    #expect(try await answered([[0.75], [1.25], [1]]).scale() == 1)
    #expect(try await answered([[1.25]]).scale() == 1.25)
  }

  @Test func `a kind is that with the greatest sum, the first of equal ones`() async throws {
    #expect(try await answered([[0, 1, 0], [0.75, 0, 0.5], [0.5, 0, 1]]).label() == 2)
    #expect(try await answered([[0, 0.5, 0.5]]).label() == 1)
    #expect(try await answered([[-3, -2, -1]]).label() == 2)
  }

  @Test func `tiles are cut as for any model, with zeros beyond the image`() throws {
    let run = try DetectionRun(image, modelShape: shape, batchSize: 3, valueCount: 1)
    let tiling = try Tiling(shape: image.shape, modelRows: 32, modelColumns: 32, edge: .zero)
    #expect(run.tileCount == tiling.count)
    #expect(try run.batch(0) == tiling.tiles(0..<3, of: image))
  }

  @Test(
    arguments: [
      ([3], [1, 2, 3]), ([3, 1, 1], [1, 2, 3]), ([3, 1], [1, 2, 3]),
    ] as [(Shape, [Float])])
  func `one value for each tile is one, whatever axes it has`(
    answerShape: Shape, values: [Float]
  ) throws {
    var run = try DetectionRun(
      NDArray(shape: [3, 8, 8, 1]), modelShape: [-1, 8, 8, 1], batchSize: 3, valueCount: 1)
    try run.accept(answer(answerShape, values))
    #expect(try run.scale() == 2)
  }

  @Test func `answers that do not fit what was sent are refused`() throws {
    let run = try DetectionRun(image, modelShape: shape, batchSize: 3, valueCount: 3)
    let good = answer([3, 3], Array(repeating: 0, count: 9))
    for heads in [
      [], good + good, answer([], [1]), answer([3], [1, 2, 3]),
      answer([3, 2], Array(0..<6).map(Float.init)),
      answer([2, 3], [0, 0, 0, 0, 0, 0]), answer([3, 0], []),
    ] {
      let error = #expect(throws: ImageError.self) {
        var run = run
        try run.accept(heads)
      }
      #expect(error?.code == .unexpectedModelOutput)
    }
    for value in [Float.nan, .infinity, -.infinity] {
      let error = #expect(throws: ImageError.self) {
        var run = run
        try run.accept(answer([3, 3], [0, 0, 0, 0, value, 0, 0, 0, 0]))
      }
      #expect(error?.code == .unexpectedModelOutput)
    }
    #expect(throws: ImageError.self) { try run.scale() }
    #expect(throws: ImageError.self) { try run.label() }
  }

  @Test func `images that do not fit are refused before the model is asked`() {
    for (image, shape, batchSize) in [
      (NDArray<Float>(shape: [40, 40, 1]), shape, 1), (NDArray(shape: [1, 40, 40, 2]), shape, 1),
      (NDArray(shape: [0, 40, 40, 1]), shape, 1), (image, [-1, 32, 32], 1), (image, shape, 0),
    ] {
      #expect(throws: ImageError.self) {
        try DetectionRun(image, modelShape: shape, batchSize: batchSize, valueCount: 1)
      }
    }
  }
}
