import Arrays
import ImageAlgorithms
import Synchronization
import TestSupport
import Testing

@Suite(.computing) struct SegmentationApplicationTests {
  private let shape: Shape = [-1, 64, 64, 1]

  private func image(_ shape: Shape, seed: Int = 1) throws -> NDArray<Float> {
    var random = RandomImages(seed: seed)
    return NDArray(shape: shape, elements: (0..<shape.reduce(1, *)).map { _ in random.unit() })
  }

  /// A model that answers what it is sent, on both heads.
  private let echo: @Sendable (NDArray<Float>) async throws -> [AnyNDArray] = { batch in
    [AnyNDArray(batch), AnyNDArray(NDArray<Float>(shape: [0])), AnyNDArray(batch)]
  }

  @Test(arguments: [[1, 30, 200, 1], [2, 200, 30, 1], [1, 64, 65, 1], [3, 10, 10, 1]])
  func `every tile has the size of the model, also for long narrow images`(
    imageShape: Shape
  ) async throws {
    let sizes = Mutex<Set<Shape>>([])
    let echo = echo
    let labels = try await SegmentationApplication.nuclear.labels(
      of: try image(imageShape), modelShape: shape, batchSize: 4
    ) { batch in
      sizes.withLock { _ = $0.insert(Array(batch.shape[1...])) }
      return try await echo(batch)
    }
    #expect(sizes.withLock { $0 } == [[64, 64, 1]])
    #expect(labels.shape == imageShape)
  }

  @Test func `a model that takes any size is sent whole images`() async throws {
    let echo = echo
    let labels = try await SegmentationApplication.nuclear.labels(
      of: try image([2, 90, 70, 1]), modelShape: [-1, -1, -1, 1], batchSize: 64
    ) { batch in
      #expect(batch.shape == [2, 90, 70, 1])
      return try await echo(batch)
    }
    #expect(labels.shape == [2, 90, 70, 1])
  }

  @Test func `labels have the size of the image at any scale`() async throws {
    for scale in [0.3, 1.7] {
      let labels = try await SegmentationApplication.cytoplasm.labels(
        of: try image([1, 50, 41, 1]), scale: scale, modelShape: shape, batchSize: 3, predict: echo)
      #expect(labels.shape == [1, 50, 41, 1])
    }
  }

  @Test func `no more calls are in flight than allowed, and no more answers wait`() async throws {
    let state = Mutex((running: 0, most: 0))
    let echo = echo
    _ = try await SegmentationApplication.nuclear.labels(
      of: try image([1, 300, 300, 1]), modelShape: shape, batchSize: 2, concurrentCalls: 3
    ) { batch in
      state.withLock {
        $0.running += 1
        $0.most = max($0.most, $0.running)
      }
      for _ in 0..<20 { await Task.yield() }
      state.withLock { $0.running -= 1 }
      return try await echo(batch)
    }
    #expect(state.withLock { $0.most } <= 3)
  }

  @Test func `the error of a call ends the segmentation`() async throws {
    struct Away: Error {}
    await #expect(throws: Away.self) {
      try await SegmentationApplication.nuclear.labels(
        of: image([1, 200, 200, 1]), modelShape: shape, batchSize: 2
      ) { _ in throw Away() }
    }
  }

  @Test func `a cancelled segmentation ends with its calls`() async throws {
    let image = try image([1, 200, 200, 1])
    let (started, starting) = AsyncStream<Void>.makeStream()
    let shape = shape
    let task = Task {
      try await SegmentationApplication.nuclear.labels(
        of: image, modelShape: shape, batchSize: 2
      ) { _ in
        starting.yield()
        try await Task.sleep(for: .seconds(3600))
        return []
      }
    }
    for await _ in started { break }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test func `a cancelled task starts nothing`() async throws {
    let image = try image([1, 100, 100, 1])
    let shape = shape
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try SegmentationApplication.nuclear.start(image, modelShape: shape, batchSize: 1)
        .tileCount
    }
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test func `answers that do not fit what was sent are refused`() throws {
    var run = try SegmentationApplication.nuclear.start(
      image([1, 100, 100, 1]), modelShape: shape, batchSize: 3)
    #expect(run.tileCount == 4 && run.batchCount == 2)
    let good = AnyNDArray(NDArray<Float>(shape: [3, 64, 64, 1]))
    for heads in [
      [], [good, AnyNDArray(NDArray<Float>(shape: [2, 64, 64, 1]))],
      [AnyNDArray(NDArray<Float>(shape: [])), good],
      [good, AnyNDArray(NDArray<Float>(shape: [3, 32, 64, 1]))],
    ] {
      let error = #expect(throws: ImageError.self) {
        var copy = run
        try copy.accept(heads)
      }
      #expect(error?.code == .unexpectedModelOutput)
    }
    try run.accept([good])
    #expect(throws: ImageError.self) { try run.labels() }
  }

  @Test func `images that do not fit are refused before the model is asked`() throws {
    let nuclear = SegmentationApplication.nuclear
    let good = try image([1, 40, 40, 1])
    #expect(throws: ImageError.self) {
      try nuclear.start(image([40, 40, 1]), modelShape: shape, batchSize: 1)
    }
    #expect(throws: ImageError.self) {
      try nuclear.start(image([1, 40, 40, 2]), modelShape: shape, batchSize: 1)
    }
    #expect(throws: ImageError.self) {
      try nuclear.start(good, modelShape: [-1, 64, 1], batchSize: 1)
    }
    #expect(throws: ImageError.self) { try nuclear.start(good, modelShape: shape, batchSize: 0) }
    for scale in [0, -1, .nan, .infinity, 1e-9, 1e9] {
      #expect(throws: ImageError.self) {
        try nuclear.start(good, scale: scale, modelShape: shape, batchSize: 1)
      }
    }
  }
}
