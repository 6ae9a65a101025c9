import Arrays
import ImageAlgorithms
import Synchronization
import TestSupport
import Testing

@Suite(.computing) struct ComposedApplicationTests {
  private typealias Model = @Sendable (NDArray<Float>) async throws -> [AnyNDArray]

  private let anySize: Shape = [-1, -1, -1, -1]

  private func image(_ shape: Shape, seed: Int = 1) -> NDArray<Float> {
    var random = RandomImages(seed: seed)
    return NDArray(shape: shape, elements: (0..<shape.reduce(1, *)).map { _ in random.unit() })
  }

  /// A model that answers what it is sent.
  private let echo: Model = { [AnyNDArray($0)] }

  /// A model that decides on each pixel by itself: two outputs, one of them of two channels.
  private let pointwise: Model = { batch in
    let first = batch.channel(0)
    let second = NDArray<Float>(
      shape: first.shape + [2], elements: first.elements.flatMap { [1 - $0, $0 * $0] })
    return [AnyNDArray(first.map { $0 / 2 }.expandingDimensions(at: 3)), AnyNDArray(second)]
  }

  private func maps(_ result: NamedPostprocessing.Result) throws -> NDArray<Float> {
    guard case .maps(let maps) = result else { throw Unexpected() }
    return maps
  }
  private func labels(_ result: NamedPostprocessing.Result) throws -> NDArray<Int32> {
    guard case .labels(let labels) = result else { throw Unexpected() }
    return labels
  }
  private struct Unexpected: Error {}

  @Test(arguments: 0..<40)
  func `pieces give what the whole image gives when a model looks at single pixels`(
    seed: Int
  ) async throws {
    var random = RandomImages(seed: seed)
    let cuts = random.integer(1...5)
    let shape = [
      random.integer(1...2), cuts * random.integer(1...9), cuts * random.integer(1...9),
      random.integer(1...2),
    ]
    let image = image(shape, seed: seed)
    let whole = try await ComposedApplication().result(
      of: image, modelShape: anySize, batchSize: 1, predict: pointwise)
    let pieces = try await ComposedApplication(
      cuts: cuts, fieldSize: 2 * random.integer(0...20) + 1
    ).result(
      of: image, modelShape: anySize, batchSize: random.integer(1...7), predict: pointwise)
    #expect(pieces == whole)
    #expect(whole.shape == shape.dropLast() + [3])
  }

  @Test(arguments: 0..<60)
  func `pieces are those of a mirrored image, and what is left over stays 0`(
    seed: Int
  ) async throws {
    var random = RandomImages(seed: seed)
    let shape = [
      random.integer(1...2), random.integer(1...30), random.integer(1...30), random.integer(1...2),
    ]
    let cuts = random.integer(1...min(shape[1], shape[2], 6))
    let fieldSize = 2 * random.integer(0...12) + 1
    let image = image(shape, seed: seed)
    let margin = fieldSize / 2
    let wide = try padded(
      image, by: Padding(top: margin, bottom: margin, left: margin, right: margin))
    let (rows, columns) = (shape[1] / cuts, shape[2] / cuts)

    let run = try ComposedApplication(cuts: cuts, fieldSize: fieldSize).start(
      image, modelShape: anySize, batchSize: 1)
    #expect(run.tileCount == shape[0] * cuts * cuts)
    #expect(run.batchCount == run.tileCount)
    var expected = NDArray<Float>(shape: shape)
    for index in 0..<run.tileCount {
      let item = index / (cuts * cuts)
      let (row, column) = (index / cuts % cuts * rows, index % cuts * columns)
      let piece = try run.batch(index)
      #expect(piece.shape == [1, rows + 2 * margin, columns + 2 * margin, shape[3]])
      for y in 0..<piece.shape[1] {
        for x in 0..<piece.shape[2] {
          for c in 0..<shape[3] {
            #expect(piece[0, y, x, c] == wide[item, row + y, column + x, c])
          }
        }
      }
      for y in row..<row + rows {
        for x in column..<column + columns {
          for c in 0..<shape[3] { expected[item, y, x, c] = image[item, y, x, c] }
        }
      }
    }
    let result = try await ComposedApplication(cuts: cuts, fieldSize: fieldSize).result(
      of: image, modelShape: anySize, batchSize: 3, predict: echo)
    #expect(try maps(result) == expected)
  }

  @Test(arguments: 0..<30)
  func `tiles of all outputs and channels are put together as one channel is`(
    seed: Int
  ) async throws {
    var random = RandomImages(seed: seed)
    let shape = [random.integer(1...2), random.integer(20...90), random.integer(20...90), 1]
    let model = [-1, [16, 32, 40][random.integer(0...2)], [16, 32, 40][random.integer(0...2)], 1]
    let image = image(shape, seed: seed)
    let result = try await ComposedApplication().result(
      of: image, modelShape: model, batchSize: random.integer(1...5), concurrentCalls: 3,
      predict: pointwise)
    let tiling = try Tiling(shape: shape, modelRows: model[1], modelColumns: model[2])
    let heads = try await pointwise(tiling.tiles(0..<tiling.count, of: image)).map(\.asFloat)
    let joined = try maps(result)
    for (index, (head, channel)) in [(0, 0), (1, 0), (1, 1)].enumerated() {
      var untiler = Untiler(tiling)
      try untiler.add(heads[head], channel: channel)
      #expect(try joined.channel(index) == untiler.finished().channel(0))
    }
  }

  @Test(arguments: 0..<40)
  func `the model sees the nearest pixels, and the result has the size of the image`(
    seed: Int
  ) async throws {
    var random = RandomImages(seed: seed)
    let shape = [1, random.integer(1...40), random.integer(1...40), random.integer(1...2)]
    let scale = seed % 4 == 0 ? [0.5, 2, 0.25, 1.5][seed / 4 % 4] : Double(0.1 + 3 * random.unit())
    let image = image(shape, seed: seed)
    let run = try ComposedApplication().start(
      image, scale: scale, modelShape: anySize, batchSize: 1)
    let (rows, columns) = (
      max(Int((Double(shape[1]) * scale).rounded(.toNearestOrEven)), 1),
      max(Int((Double(shape[2]) * scale).rounded(.toNearestOrEven)), 1)
    )
    let sent = try run.batch(0)
    #expect(sent.shape == [1, rows, columns, shape[3]])
    /// The pixel a new one's centre lies in; half the way between two centres is the latter's.
    func source(_ index: Int, _ old: Int, _ new: Int) -> Int {
      (2 * index + 1) * old / (2 * new)
    }
    for y in 0..<rows {
      for x in 0..<columns {
        #expect(
          sent[0, y, x, 0] == image[0, source(y, shape[1], rows), source(x, shape[2], columns), 0])
      }
    }
    let result = try await ComposedApplication().result(
      of: image, scale: scale, modelShape: anySize, batchSize: 1, predict: echo)
    #expect(try maps(result) == resizedNearest(sent, rows: shape[1], columns: shape[2]))
  }

  @Test func `labels have the size of the image at any scale`() async throws {
    for scale in [0.5, 1, 1.7] {
      let application = ComposedApplication(
        preprocessing: .histogramNormalization, postprocessing: .pixelwise)
      var steps: [SegmentationProgress] = []
      let result = try await application.result(
        of: image([2, 50, 41, 1]), scale: scale, modelShape: [-1, 32, 32, 1], batchSize: 3,
        progress: { steps.append($0) },
        predict: { batch in
          [AnyNDArray(NDArray<Float>(shape: batch.shape.dropLast() + [3], repeating: 0.9))]
        })
      #expect(try labels(result) == NDArray(shape: [2, 50, 41, 1], repeating: 1))
      #expect(steps.last == .labelled(items: 2, of: 2))
    }
  }

  @Test func `a call is never larger than it must be`() async throws {
    let sizes = Mutex<[Shape]>([])
    let echo = echo
    _ = try await ComposedApplication().result(
      of: NDArray(shape: [3, 1500, 1500, 1]), modelShape: anySize, batchSize: 64
    ) { batch in
      sizes.withLock { $0.append(batch.shape) }
      return try await echo(batch)
    }
    #expect(sizes.withLock { $0 } == Array(repeating: [1, 1500, 1500, 1], count: 3))
  }

  @Test func `a model that answers fewer pixels than it is sent is refused with both sizes`() throws
  {
    var run = try ComposedApplication(cuts: 2, fieldSize: 9).start(
      image([1, 20, 20, 1]), modelShape: anySize, batchSize: 4)
    let error = #expect(throws: ImageError.self) {
      try run.accept([AnyNDArray(NDArray<Float>(shape: [4, 10, 10, 3]))])
    }
    #expect(error?.code == .unexpectedModelOutput)
    #expect(error?.reason.contains("(4, 10, 10, 3)") == true)
    #expect(error?.reason.contains("18 x 18") == true)
  }

  @Test func `answers that do not fit what was sent are refused`() throws {
    let start = try ComposedApplication().start(
      image([1, 100, 100, 1]), modelShape: [-1, 64, 64, 1], batchSize: 3)
    let good = AnyNDArray(NDArray<Float>(shape: [3, 64, 64, 2]))
    for heads in [
      [], [good, AnyNDArray(NDArray<Float>(shape: [2, 64, 64, 1]))],
      [AnyNDArray(NDArray<Float>(shape: []))], [AnyNDArray(NDArray<Float>(shape: [3, 64]))],
      [AnyNDArray(NDArray<Float>(shape: [3, 64, 64, 0]))],
      [good, AnyNDArray(NDArray<Float>(shape: [3, 32, 64, 1]))],
    ] {
      let error = #expect(throws: ImageError.self) {
        var run = start
        try run.accept(heads)
      }
      #expect(error?.code == .unexpectedModelOutput)
    }
    var run = start
    #expect(throws: ImageError.self) { try run.result() }
    try run.accept([good])
    #expect(throws: ImageError.self) { try run.result() }
    let other = AnyNDArray(NDArray<Float>(shape: [1, 64, 64, 3]))
    let error = #expect(throws: ImageError.self) { try run.accept([other]) }
    #expect(error?.reason.contains("[3]") == true && error?.reason.contains("[2]") == true)
  }

  @Test func `outputs with too many values are refused before memory is taken`() throws {
    var application = ComposedApplication()
    application.maximumOutputValues = 20 * 20 * 3
    var run = try application.start(image([1, 20, 20, 1]), modelShape: anySize, batchSize: 1)
    try run.accept([AnyNDArray(NDArray<Float>(shape: [1, 20, 20, 3]))])
    run = try application.start(image([1, 20, 20, 1]), modelShape: anySize, batchSize: 1)
    let error = #expect(throws: ImageError.self) {
      try run.accept([AnyNDArray(NDArray<Float>(shape: [1, 20, 20, 4]))])
    }
    #expect(error?.code == .tooLarge)
  }

  @Test(arguments: [
    (-1, 61), (21, 61), (2, 60), (2, 0), (2, -3), (2, 4097), (2, Int.max), (Int.max, 61),
    (20, 4095),
  ])
  func `cuts that make no sense are refused before the model is asked`(
    cuts: Int, fieldSize: Int
  ) {
    let application = ComposedApplication(cuts: cuts, fieldSize: fieldSize)
    #expect(throws: ImageError.self) {
      try application.start(image([1, 20, 40, 1]), modelShape: anySize, batchSize: 1)
    }
  }

  @Test func `pieces that a model does not take are refused with both sizes`() throws {
    let application = ComposedApplication(cuts: 2, fieldSize: 5)
    let image = image([1, 20, 40, 1])
    let error = #expect(throws: ImageError.self) {
      try application.start(image, modelShape: [-1, 14, 20, 1], batchSize: 1)
    }
    #expect(error?.reason.contains("14 x 24") == true && error?.reason.contains("14 x 20") == true)
    #expect(
      try application.start(image, modelShape: [-1, 14, 24, 1], batchSize: 1).tileCount == 4)
    #expect(
      try application.start(image, modelShape: [-1, 14, -1, 1], batchSize: 1).tileCount == 4)
  }

  @Test func `images that do not fit are refused before the model is asked`() throws {
    let application = ComposedApplication(preprocessing: .normalize)
    let good = image([1, 40, 40, 1])
    for (image, shape, batchSize) in [
      (image([40, 40, 1]), anySize, 1), (image([1, 40, 40, 2]), [-1, 64, 64, 1], 1),
      (NDArray(shape: [0, 40, 40, 1]), anySize, 1), (NDArray(shape: [1, 0, 40, 1]), anySize, 1),
      (NDArray(shape: [1, 40, 40, 0]), anySize, 1), (good, [-1, 64, 1], 1), (good, anySize, 0),
      (NDArray(shape: [1, 4, 4, 1], repeating: .nan), anySize, 1),
    ] {
      #expect(throws: ImageError.self) {
        try application.start(image, modelShape: shape, batchSize: batchSize)
      }
    }
    for scale in [0, -1, .nan, .infinity, 1e9] {
      #expect(throws: ImageError.self) {
        try application.start(good, scale: scale, modelShape: anySize, batchSize: 1)
      }
    }
  }

  @Test func `a cancelled job ends with its calls`() async throws {
    let image = image([1, 200, 200, 1])
    let (started, starting) = AsyncStream<Void>.makeStream()
    let task = Task {
      try await ComposedApplication(cuts: 4).result(
        of: image, modelShape: [-1, -1, -1, 1], batchSize: 2
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
}
