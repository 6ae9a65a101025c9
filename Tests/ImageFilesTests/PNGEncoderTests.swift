import Arrays
import ImageFiles
import TestSupport
import Testing

@Suite(.computing) struct PNGEncoderTests {
  @Test(arguments: 0..<60)
  func `a picture survives writing and reading`(seed: Int) throws {
    var generator = SeededGenerator(seed: seed)
    let rows = Int.random(in: 1...40, using: &generator)
    let columns = Int.random(in: 1...40, using: &generator)
    let channels = Int.random(in: 1...4, using: &generator)
    let count = rows * columns * channels
    let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    let picture = NDArray(shape: [rows, columns, channels], elements: bytes)
    let read = try ImageFile.decode(PNGEncoder.encode(picture, name: "a.png"), name: "a.png")
    #expect(read.pixels.typed(as: UInt8.self) == picture)
  }

  @Test func `grey pictures of two axes and of 16 bits are written`() throws {
    let grey = NDArray<UInt8>(shape: [2, 3], elements: [0, 1, 2, 253, 254, 255])
    let read = try ImageFile.decode(PNGEncoder.encode(grey, name: "a.png"), name: "a.png")
    #expect(read.pixels.shape == [2, 3, 1])
    #expect(read.pixels.bytes == grey.elements)

    let wide = NDArray<UInt16>(shape: [2, 2], elements: [0, 258, 40_000, .max])
    let readWide = try ImageFile.decode(PNGEncoder.encode(wide, name: "a.png"), name: "a.png")
    #expect(readWide.pixels.typed(as: UInt16.self)?.elements == wide.elements)
  }

  @Test(arguments: [[], [4], [2, 2, 5], [2, 2, 0], [0, 4], [1, 2, 2, 3]])
  func `an array that is no picture is refused with its shape`(shape: Shape) {
    let error = #expect(throws: ImageFileError.self) {
      try PNGEncoder.encode(NDArray<UInt8>(shape: shape), name: "a.png")
    }
    #expect(error?.code == .unsupportedArray)
    #expect(error?.description.contains(shape.tupleDescription) == true)
  }
}
