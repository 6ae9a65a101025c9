import Arrays
import ImageAlgorithms
import TestSupport
import Testing

@Suite(.computing) struct MesmerApplicationTests {
  private let shape: Shape = [-1, 64, 64, 2]

  private func image(_ shape: Shape, seed: Int = 1) -> NDArray<Float> {
    var random = RandomImages(seed: seed)
    return NDArray(shape: shape, elements: (0..<shape.reduce(1, *)).map { _ in random.unit() })
  }

  /// A model whose heads are the channels of the image, and three classes of them.
  private static func heads(of batch: NDArray<Float>) -> [AnyNDArray] {
    func classes(_ channel: Int) -> AnyNDArray {
      let plane = batch.channel(channel)
      return AnyNDArray(
        NDArray<Float>(
          shape: plane.shape + [3], elements: plane.elements.flatMap { [-1, $0, -1] }))
    }
    func distance(_ channel: Int) -> AnyNDArray {
      AnyNDArray(batch.channel(channel).expandingDimensions(at: 3))
    }
    return [distance(1), classes(1), distance(0), classes(0)]
  }

  private func application(_ compartment: MesmerPostprocessing.Compartment) -> MesmerApplication {
    MesmerApplication(postprocessing: MesmerPostprocessing(compartment: compartment))
  }

  @Test(arguments: 0..<12)
  func `both compartments are what each is by itself`(seed: Int) async throws {
    let image = image([1 + seed % 2, 50 + 11 * seed, 140 - 7 * seed, 2], seed: seed)
    func labels(_ compartment: MesmerPostprocessing.Compartment) async throws -> NDArray<Int32> {
      try await application(compartment).labels(of: image, modelShape: shape, batchSize: 3) {
        Self.heads(of: $0)
      }
    }
    let both = try await labels(.both)
    #expect(both.shape == image.shape)
    #expect(try await both.channel(0) == labels(.wholeCell).channel(0))
    #expect(try await both.channel(1) == labels(.nuclear).channel(0))
  }

  @Test(
    arguments: [[1, 30, 200, 2], [2, 200, 30, 2], [1, 64, 65, 2], [3, 10, 10, 2]], [0.5, 1, 1.6])
  func `labels have the size of the image`(imageShape: Shape, scale: Double) async throws {
    let labels = try await application(.both).labels(
      of: image(imageShape), scale: scale, modelShape: shape, batchSize: 4
    ) { batch in
      #expect(Array(batch.shape[1...]) == [64, 64, 2])
      return Self.heads(of: batch)
    }
    #expect(labels.shape == imageShape)
  }

  @Test func `an image without contrast has no cells`() async throws {
    for value: Float in [0, 7] {
      let labels = try await application(.wholeCell).labels(
        of: NDArray(shape: [1, 40, 50, 2], repeating: value), modelShape: shape, batchSize: 1
      ) { Self.heads(of: $0) }
      #expect(labels.shape == [1, 40, 50, 1])
      #expect(labels.elements.allSatisfy { $0 == 0 })
    }
  }

  @Test func `each frame is labelled by itself`() async throws {
    let image = image([3, 40, 70, 2])
    let all = try await application(.wholeCell).labels(
      of: image, modelShape: shape, batchSize: 2
    ) { Self.heads(of: $0) }
    for frame in 0..<3 {
      let alone = try await application(.wholeCell).labels(
        of: image.slice(frame..<frame + 1), modelShape: shape, batchSize: 2
      ) { Self.heads(of: $0) }
      #expect(all.slice(frame) == alone.slice(0))
    }
  }

  @Test func `answers that do not fit what was sent are refused`() throws {
    let image = image([1, 100, 100, 2])
    var run = try application(.wholeCell).start(image, modelShape: shape, batchSize: 3)
    #expect(run.tileCount == 4 && run.batchCount == 2)
    let good = Self.heads(of: try run.batch(0))
    let none = AnyNDArray(NDArray<Float>(shape: [0]))
    for heads in [
      [], Array(good[..<3]), good + good, [good[0], good[0], good[2], good[3]],
      [AnyNDArray(NDArray<Float>(shape: [2, 64, 64, 1])), good[1], good[2], good[3]],
      [good[0], AnyNDArray(NDArray<Float>(shape: [3, 32, 64, 3])), good[2], good[3]],
      [AnyNDArray(NDArray<Float>(shape: [])), good[1], good[2], good[3]],
    ] {
      let error = #expect(throws: ImageError.self) {
        var copy = run
        try copy.accept(heads)
      }
      #expect(error?.code == .unexpectedModelOutput)
    }
    // What is not looked at may be anything.
    try run.accept([good[0], good[1], none, none])
    #expect(throws: ImageError.self) { try run.labels() }
  }

  @Test func `images that do not fit are refused before the model is asked`() throws {
    let mesmer = application(.both)
    let good = image([1, 40, 40, 2])
    for image in [
      image([40, 40, 2]), image([1, 40, 40, 1]), NDArray(shape: [1, 0, 40, 2]),
      NDArray(shape: [1, 40, 40, 2], repeating: .nan),
    ] {
      #expect(throws: ImageError.self) {
        try mesmer.start(image, modelShape: shape, batchSize: 1)
      }
    }
    #expect(throws: ImageError.self) { try mesmer.start(good, modelShape: shape, batchSize: 0) }
    for scale in [0, -1, .nan, .infinity, 1e-9, 1e9] {
      #expect(throws: ImageError.self) {
        try mesmer.start(good, scale: scale, modelShape: shape, batchSize: 1)
      }
    }
  }
}
