import Arrays
import ImageAlgorithms
import TestSupport
import Testing

@Suite(.computing) struct DimensionTests {
  @Test(arguments: [
    ([512, 600], "XY"), ([512, 600, 3], "XYC"), ([3, 512, 600], "CXY"), ([512, 3, 600], "XCY"),
    ([1, 512, 600], "CXY"), ([5, 512, 600], "BXY"), ([30, 512, 600], "BXY"), ([4, 4, 4], "XYC"),
    ([2, 2, 600], "XCY"), ([9, 512, 600, 2], "BXYC"), ([9, 2, 512, 600], "BCXY"),
    ([9, 512, 2, 600], "BXCY"), ([1, 1, 512, 1], "BXYC"),
  ])
  func `an empty order is inferred from the shape`(shape: Shape, order: String) throws {
    #expect(try inferDimensionOrder(shape: shape) == order)
    let image = NDArray<Float>(shape: shape)
    let ordered = try batchRowColumnChannel(image, order: "")
    #expect(ordered.order == order)
    #expect(ordered.image.rank == 4)
    for (letter, axis) in zip("BXYC", 0..<4) {
      let source = Array(order).firstIndex(of: letter)
      #expect(ordered.image.shape[axis] == source.map { shape[$0] } ?? 1)
    }
  }

  @Test func `an inferred order moves pixels with their axes`() throws {
    let image = NDArray<Float>(shape: [2, 5, 3, 6], elements: (0..<180).map(Float.init))
    let ordered = try batchRowColumnChannel(image, order: "")
    #expect(ordered.order == "BXCY")
    for b in 0..<2 {
      for x in 0..<5 {
        for c in 0..<3 {
          for y in 0..<6 { #expect(ordered.image[b, x, y, c] == image[b, x, c, y]) }
        }
      }
    }
  }

  @Test(arguments: [[7], [], [1, 2, 3, 4, 5], [2, 50, 60, 70]])
  func `a shape that tells nothing is refused by name`(shape: Shape) {
    let error = #expect(throws: ImageError.self) { try inferDimensionOrder(shape: shape) }
    #expect(error?.reason.contains(shape.tupleDescription) == true)
  }

  @Test(arguments: [
    ("", [(0, 0)]), ("0,", [(0, 0)]), (",0", [(1, 0)]), (",,1", [(2, 1)]),
    ("0,1", [(0, 0), (1, 1)]),
    ("1,,0", [(0, 1), (2, 0)]), (" 0 , 1 ", [(0, 0), (1, 1)]), (",,", [(0, 0)]),
    ("0,0", [(0, 0), (1, 0)]),
  ])
  func `channels are read by position`(text: String, expected: [(Int, Int)]) throws {
    let selections = try ChannelSelection.parse(text, channelCount: 2)
    #expect(selections == expected.map { ChannelSelection(application: $0, channel: $1) })
  }

  @Test(arguments: ["x", "-1", "2", "0,1,1", "0,,,1", "1.5", "99999999999999999999"])
  func `channels that make no sense are refused with the text`(text: String) {
    let error = #expect(throws: ImageError.self) {
      try ChannelSelection.parse(text, channelCount: 2)
    }
    #expect(error?.code == .invalidChannels)
  }

  @Test func `a model without a fixed number of channels takes any`() throws {
    let requirement = ModelInputRequirement(modelShape: [-1, 256, 256, -1], queue: "q")
    let image = NDArray<Float>(shape: [1, 30, 40, 3])
    #expect(try requirement.validated(image).shape == [1, 30, 40, 3])
    #expect(try requirement.validated(image, channels: [2]).shape == [1, 30, 40, 1])
    #expect(throws: ImageError.self) { try requirement.validated(image, channels: [-1]) }
  }

  @Test(arguments: [[[-1, 0, 0, 0]], [[]], [], [[-1, 100_000, 100_000, 64]]])
  func `a batch has at least one tile whatever the model says`(shapes: [Shape]) {
    #expect(modelBatchSize(modelShapes: shapes) >= 1)
  }

  @Test func `the greatest value along an axis is found`() throws {
    let array = NDArray<Float>(
      shape: [2, 2, 3], elements: [1, 3, 2, 5, 5, 4, 0, 0, 0, 9, .nan, 10])
    #expect(try argmax(array, axis: 2) == NDArray(shape: [2, 2], elements: [1, 0, 0, 1]))
    #expect(try argmax(array, axis: -1) == argmax(array, axis: 2))
    #expect(
      try argmax(array, axis: 0) == NDArray(shape: [2, 3], elements: [0, 0, 0, 1, 1, 1]))
    #expect(
      try argmax(array, axis: 1) == NDArray(shape: [2, 3], elements: [1, 1, 1, 1, 1, 1]))
    #expect(try argmax(NDArray<Float>(shape: [0, 4]), axis: 1).shape == [0])
  }
}
