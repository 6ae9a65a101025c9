import Arrays
import Testing

@testable import KioskCLI

@Suite struct ResultPartsTests {
  @Test(arguments: [
    ("nuclei_feature_0.tif", 0, 0), ("a b_batch_12_feature_3.tif", 3, 12), ("feature_1.tif", 1, 0),
    ("folder/x_batch_0_feature_0.tiff", 0, 0), ("x_batch_1_batch_2_feature_0.tif", 0, 2),
  ])
  func `label images are known by their names`(name: String, feature: Int, frame: Int) {
    let file = LabelFile(path: "", name: name)
    #expect(file?.feature == feature)
    #expect(file?.frame == frame)
    #expect(file?.pictureName("overlay") == "\(name.prefix(while: { $0 != "." }))_overlay.png")
  }

  @Test(arguments: ["nuclei.tif", "x_feature_.tif", "myfeature_0.tif", "x_feature_0.trk", ""])
  func `other files are none`(name: String) {
    #expect(LabelFile(path: "", name: name) == nil)
  }

  /// Where each order has the axes of an image of 2 frames, 3 channels, 5 rows and 7 columns.
  private static let extents: [Character: Int] = ["B": 2, "C": 3, "X": 5, "Y": 7, "T": 2, "Z": 2]

  @Test(
    arguments: ["XY", "XYB", "BXY", "CXY", "XYC", "CXYB", "BXYC", "XYCB", "TXY", "ZXYC", "BCXY"])
  func `a plane is found in every order of axes`(order: String) throws {
    let shape = order.compactMap { Self.extents[$0] }
    let image = NDArray<Float>(shape: shape, elements: (0..<shape.reduce(1, *)).map(Float.init))
    let plane = try InputPlane(shape: shape, order: order, frame: 1, channel: 2)
    let pixels = try plane.pixels(of: AnyNDArray(image))
    #expect(pixels.shape == [5, 7])
    for x in 0..<5 {
      for y in 0..<7 {
        let index = order.map { letter in
          switch letter {
          case "X": x
          case "Y": y
          case "C": 2
          default: 1
          }
        }
        var position = 0
        for (i, extent) in zip(index, shape) { position = position * extent + i }
        #expect(pixels[x, y] == Float(position))
      }
    }
  }

  @Test(arguments: [
    ([5, 7], "XY"), ([3, 5, 7], "CXY"), ([5, 7, 3], "XYC"), ([20, 5, 7], "BXY"),
    ([2, 5, 7, 3], "BXYC"), ([2, 3, 5, 7], "BCXY"), ([3, 5, 3], "XYC"),
  ])
  func `without an order it is inferred`(shape: [Int], order: String) throws {
    // The order of three axes with two smallest: the last of them is the channels'.
    let expected = try InputPlane(
      shape: shape, order: shape == [3, 5, 3] ? "XYC" : order, frame: 1, channel: 1)
    #expect(try InputPlane(shape: shape, order: nil, frame: 1, channel: 1) == expected)
    #expect(try InputPlane(shape: shape, order: "XYZBT", frame: 1, channel: 1) == expected)
  }

  @Test func `the order of a consumer's answer, rows named Y, is understood`() throws {
    #expect(
      try InputPlane(shape: [5, 7, 2], order: "YXC", frame: 0, channel: 1)
        == InputPlane(shape: [5, 7, 2], order: "XYC", frame: 0, channel: 1))
  }

  @Test func `frames and channels that are not there give the last`() throws {
    let plane = try InputPlane(shape: [2, 5, 7, 3], order: "BXYC", frame: 9, channel: 9)
    #expect(plane.offset == 5 * 7 * 3 + 2)
    #expect(plane.frames == 2)
    #expect(plane.channels == 3)
    #expect(try InputPlane(shape: [5, 7], order: nil, frame: 0, channel: 0).frames == 1)
  }

  @Test func `a line of numbers is no image`() {
    #expect(throws: ArrayError.self) {
      try InputPlane(shape: [7], order: nil, frame: 0, channel: 0)
    }
  }
}
