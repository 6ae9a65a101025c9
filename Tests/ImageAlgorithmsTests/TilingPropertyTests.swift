import Arrays
import ImageAlgorithms
import TestSupport
import Testing

@Suite(.computing) struct TilingPropertyTests {
  /// An image, a model size and a batch size, small and odd ones among them.
  private func example(_ seed: Int) throws -> (NDArray<Float>, Tiling, Int) {
    var random = RandomImages(seed: seed)
    let shape = [
      random.integer(1...2), random.integer(1...150), random.integer(1...150),
      random.integer(1...3),
    ]
    let image = NDArray<Float>(
      shape: shape, elements: (0..<shape.reduce(1, *)).map { _ in random.unit() })
    let sizes = [-1, 1, 2, 7, 24, 33, 64, 100]
    let tiling = try Tiling(
      shape: shape, modelRows: sizes[random.integer(0...7)],
      modelColumns: sizes[random.integer(0...7)],
      edge: random.integer(0...1) == 0 ? .reflect : .zero)
    return (image, tiling, random.integer(1...9))
  }

  @Test(arguments: 0..<150) func `tiles put together are the image`(seed: Int) throws {
    let (image, tiling, batchSize) = try example(seed)
    let channel = image.shape[3] - 1
    var untiler = Untiler(tiling)
    for start in stride(from: 0, to: tiling.count, by: batchSize) {
      let tiles = try tiling.tiles(start..<min(start + batchSize, tiling.count), of: image)
      #expect(tiles.shape[1...2] == [tiling.rows.tile, tiling.columns.tile])
      try untiler.add(tiles, channel: channel)
    }
    let result = try untiler.finished().channel(0)
    // Where tiles are blended, weights add up to a little more than 1.
    let expected = image.channel(channel)
    #expect(
      zip(result.elements, expected.elements).allSatisfy { abs($0 - $1) <= 0.03 * abs($1) })
    #expect(result.shape == expected.shape)
  }

  @Test(arguments: 0..<100) func `tiles cover the image and have the size of the model`(
    seed: Int
  ) throws {
    let (image, tiling, _) = try example(seed)
    for (axis, length) in [(tiling.rows, image.shape[1]), (tiling.columns, image.shape[2])] {
      #expect(axis.before + length + axis.after == axis.paddedLength)
      #expect(axis.before >= 0 && axis.after >= 0 && axis.overlap >= 0)
      #expect(axis.count == 1 || axis.before + axis.after < axis.stride)
    }
    #expect(tiling.count == tiling.batch * tiling.rows.count * tiling.columns.count)
  }

  @Test(arguments: 0..<50) func `padding and cropping give the image back`(seed: Int) throws {
    var random = RandomImages(seed: seed)
    let shape = [random.integer(1...2), random.integer(1...9), random.integer(1...9), 2]
    let image = NDArray<Float>(
      shape: shape, elements: (0..<shape.reduce(1, *)).map { _ in random.unit() })
    let padding = Padding(
      top: random.integer(0...30), bottom: random.integer(0...30), left: random.integer(0...30),
      right: random.integer(0...30))
    #expect(try cropped(padded(image, by: padding), by: padding) == image)
  }

  @Test func `a model that takes any size gets the whole image`() throws {
    let tiling = try Tiling(shape: [2, 300, 7, 1], modelRows: -1, modelColumns: -1)
    #expect(tiling.count == 2)
    #expect(tiling.rows.tile == 300 && tiling.columns.tile == 7)
  }

  @Test func `answers that do not fit are refused with both sizes`() throws {
    let tiling = try Tiling(shape: [1, 100, 100, 1], modelRows: 64, modelColumns: 64)
    var untiler = Untiler(tiling)
    let wrongSize = #expect(throws: ImageError.self) {
      try untiler.add(NDArray(shape: [1, 32, 32, 1]))
    }
    #expect(wrongSize?.code == .unexpectedModelOutput)
    #expect(wrongSize?.reason.contains("64 x 64") == true)
    #expect(throws: ImageError.self) {
      try untiler.add(NDArray(shape: [1, 64, 64, 2]), channel: 2)
    }
    #expect(throws: ImageError.self) { try untiler.add(NDArray(shape: [5, 64, 64, 1])) }
    #expect(throws: ImageError.self) { try untiler.finished() }
  }
}
