import Arrays
import ImageFiles
import TestSupport
import Testing

@Suite struct PictureTIFFTests {
  @Test(arguments: 0..<30)
  func `a picture is read as it was written`(seed: Int) throws {
    var generator = SeededGenerator(seed: seed)
    let shape = [
      Int.random(in: 1...70, using: &generator), Int.random(in: 1...70, using: &generator), 3,
    ]
    let picture = NDArray<UInt8>(
      shape: shape,
      elements: (0..<shape.reduce(1, *)).map { _ in
        UInt8.random(in: 0...255, using: &generator)
      })
    let bytes = try PictureTIFF.encode(picture)
    let read = try ImageFile.decode(bytes, name: "picture.tif")
    #expect(read.pixels.typed(as: UInt8.self) == picture)
  }

  @Test(arguments: [[4, 4], [4, 4, 4], [4, 4, 1], [0, 4, 3], [3, 4, 0], [1, 4, 4, 3]])
  func `arrays of other shapes are refused`(shape: Shape) {
    let error = #expect(throws: ImageFileError.self) {
      try PictureTIFF.encode(NDArray(shape: shape))
    }
    #expect(error?.code == .unsupportedArray)
  }
}
