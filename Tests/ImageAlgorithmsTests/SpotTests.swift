import Arrays
import ImageAlgorithms
import TestSupport
import Testing

@Suite(.computing) struct SpotTests {
  private let shape: Shape = [-1, 32, 32, 1]

  private static func image(_ shape: Shape, seed: Int) -> NDArray<Float> {
    var random = RandomImages(seed: seed)
    return NDArray(shape: shape, elements: (0..<shape.reduce(1, *)).map { _ in random.unit() })
  }

  /// A model for which a pixel is its own likelihood of a spot, which lies a little below and left.
  private static func heads(of batch: NDArray<Float>) -> [AnyNDArray] {
    let shape = Array(batch.shape.dropLast()) + [2]
    return [
      AnyNDArray(NDArray<Float>(shape: shape, elements: batch.elements.flatMap { [1 - $0, $0] })),
      AnyNDArray(
        NDArray<Float>(shape: shape, elements: batch.elements.flatMap { _ in [0.25, -0.5] })),
    ]
  }

  private func spots(
    of image: NDArray<Float>, batchSize: Int = 4, _ application: SpotApplication = .init()
  ) throws -> [NDArray<Double>] {
    var run = try application.start(image, modelShape: shape, batchSize: batchSize)
    for index in 0..<run.batchCount { try run.accept(Self.heads(of: run.batch(index))) }
    return try run.spots()
  }

  @Test(arguments: 0..<100)
  func `spots are the pixels that no neighbour exceeds, the likeliest first`(seed: Int) throws {
    let (rows, columns) = (8 + seed % 9, 9 + seed % 7)
    // Few values, so that there are plateaus.
    let scores = Self.image([rows, columns], seed: seed).map { ($0 * 8).rounded() / 8 }
    let offsets = Self.image([rows, columns, 2], seed: seed + 1000).map { $0 * 2 - 1 }
    let found = try spotCoordinates(scores: scores, offsets: offsets, threshold: 0.7)

    var expected: [(score: Float, row: Double, column: Double)] = []
    for row in 1..<rows - 1 {
      for column in 1..<columns - 1 where scores[row, column] > 0.7 {
        let around = (-1...1).flatMap { y in (-1...1).map { scores[row + y, column + $0] } }
        guard around.allSatisfy({ $0 <= scores[row, column] }) else { continue }
        expected.append(
          (
            scores[row, column], Double(row) + Double(offsets[row, column, 0]),
            Double(column) + Double(offsets[row, column, 1])
          ))
      }
    }
    // Stable, so equal scores stay in the order of rows and columns.
    let ranked = expected.enumerated().sorted {
      $0.element.score != $1.element.score
        ? $0.element.score > $1.element.score : $0.offset < $1.offset
    }
    #expect(found.shape == [expected.count, 2])
    #expect(found.elements == ranked.flatMap { [$0.element.row, $0.element.column] })
  }

  @Test(arguments: 0..<20)
  func `spots lie where they do in the image as a whole, however it is cut`(seed: Int) throws {
    // In one piece of 32 x 32, and in tiles, dots far from each other.
    var image = NDArray<Float>(shape: [2, 40 + seed, 75 - seed, 1])
    var expected: [Set<[Double]>] = [[], []]
    for item in 0..<2 {
      for row in stride(from: 4, to: image.shape[1] - 4, by: 9 + seed % 5) {
        for column in stride(from: 5 + item, to: image.shape[2] - 4, by: 11) {
          image[item, row, column, 0] = 100
          expected[item].insert([Double(row) + 0.25, Double(column) - 0.5])
        }
      }
    }
    let found = try spots(of: image, batchSize: 1 + seed % 5)
    for item in 0..<2 {
      let rows = (0..<found[item].shape[0]).map { row in
        // Where tiles overlap their weights add up to a little more than 1.
        found[item].slice(row).elements.map { ($0 * 4).rounded() / 4 }
      }
      #expect(Set(rows) == expected[item])
      #expect(rows.count == expected[item].count)
    }
  }

  @Test func `an image without contrast has no spots, and disturbs no other`() throws {
    var image = Self.image([3, 40, 40, 1], seed: 3)
    image.withUnsafeMutableBuffer { $0[1600..<3200].update(repeating: 9) }
    let found = try spots(of: image)
    #expect(found[1].shape == [0, 2])
    #expect(found[0].shape[0] > 0 && found[2].shape[0] > 0)
    for item in [0, 2] {
      #expect(try spots(of: image.slice(item..<item + 1))[0] == found[item])
    }
    // All that is bright is cut off.
    var dot = NDArray<Float>(shape: [1, 60, 60, 1])
    dot[0, 30, 30, 0] = 5
    var clipping = SpotApplication()
    clipping.clips = true
    #expect(try spots(of: dot)[0].shape == [1, 2])
    #expect(try spots(of: dot, clipping)[0].shape == [0, 2])
  }

  @Test func `images and answers that cannot be used are refused`() throws {
    let application = SpotApplication()
    for image in [
      NDArray<Float>(shape: [40, 40]), NDArray(shape: [1, 40, 40, 2]),
      NDArray(shape: [1, 0, 9, 1]),
      NDArray(shape: [1, 40, 40, 1], repeating: .nan),
      NDArray(shape: [1, 1, 2, 1], elements: [-3e38, 3e38]),
    ] {
      #expect(throws: ImageError.self) {
        try application.start(image, modelShape: shape, batchSize: 1)
      }
    }
    let run = try application.start(
      Self.image([1, 40, 40, 1], seed: 1), modelShape: shape, batchSize: 9)
    let good = Self.heads(of: try run.batch(0))
    let onlyOne = AnyNDArray(try run.batch(0))
    let nan = AnyNDArray(good[0].asFloat.map { _ in Float.nan })
    for heads in [[], [good[0]], good + good, [onlyOne, good[1]], [good[0], onlyOne]] {
      let error = #expect(throws: ImageError.self) {
        var copy = run
        try copy.accept(heads)
      }
      #expect(error?.code == .unexpectedModelOutput)
    }
    for heads in [[nan, good[1]], [good[0], nan]] {
      var copy = run
      try copy.accept(heads)
      let error = #expect(throws: ImageError.self) { try copy.spots() }
      #expect(error?.code == .unexpectedModelOutput)
    }
    #expect(throws: ImageError.self) { try run.spots() }
    for threshold in [-0.1, 1.1, .nan] {
      #expect(throws: ImageError.self) {
        try spotCoordinates(
          scores: NDArray(shape: [3, 3]), offsets: NDArray(shape: [3, 3, 2]), threshold: threshold)
      }
    }
    #expect(throws: ImageError.self) {
      try spotCoordinates(scores: NDArray(shape: [3, 3]), offsets: NDArray(shape: [3, 3, 1]))
    }
  }

  @Test func `a spot outside of the image is refused`() throws {
    let labels = NDArray<Int32>(shape: [2, 3], elements: [1, 2, 3, 4, 5, 6])
    func cell(_ row: Double, _ column: Double) throws -> Int32? {
      try cells(ofSpots: NDArray(shape: [1, 2], elements: [row, column]), in: labels).first
    }
    #expect(try cell(1.99, 2.99) == 6)
    #expect(try cell(-0.99, -0.99) == 1)
    #expect(try cell(-1, -1) == 6)
    #expect(try cell(-2, -3) == 1)
    for (row, column) in [(2.0, 0.0), (0, 3), (-3, 0), (.nan, 0), (0, .infinity), (1e300, 0)] {
      #expect(throws: ImageError.self) { try cell(row, column) }
    }
    #expect(try cells(ofSpots: NDArray(shape: [0, 2]), in: labels) == [])
    #expect(throws: ImageError.self) { try cells(ofSpots: NDArray(shape: [2, 3]), in: labels) }
  }

  @Test(arguments: 0..<40)
  func `normalized images reach from 0 to 1 and keep their order`(seed: Int) throws {
    let image = Self.image([2, 20, 30, 2], seed: seed).map { $0 * 1000 - 300 }
    let result = try minMaxNormalized(image)
    for item in 0..<2 {
      for channel in 0..<2 {
        let before = image.slice(item).channel(channel).elements
        let after = result.slice(item).channel(channel).elements
        #expect(after.min() == 0 && after.max() == 1)
        let order = before.indices.sorted { before[$0] < before[$1] }
        #expect(zip(order, order.dropFirst()).allSatisfy { after[$0] <= after[$1] })
      }
    }
  }
}
