import Arrays
import Foundation
import TestSupport
import Testing

@testable import ImageFiles

@Suite(.computing) struct LabelFilesTests {
  @Test(arguments: 0..<120)
  func `every channel of any array reads back as float`(seed: Int) throws {
    var generator = SeededGenerator(seed: seed)
    var shape = (0..<Int.random(in: 2...5, using: &generator)).map { _ in
      Int.random(in: 1...4, using: &generator)
    }
    shape[shape.count - 2] *= 9
    let dtype = DType.allCases[seed % DType.allCases.count]
    let count = shape.reduce(1, *)
    let values = (0..<count).map { _ in
      Int32.random(in: 0...(dtype == .bool ? 1 : 100), using: &generator)
    }
    let array = converted(NDArray(shape: shape, elements: values), to: dtype)

    let folder = try TemporaryFolder()
    let paths = try LabelFiles.save(array, name: "n", in: folder.path)
    let channels = shape.count == 2 ? 1 : shape[shape.count - 1]
    let expectedShape = shape.count == 2 ? shape : Array(shape.dropLast())
    try #require(paths.count == channels)
    for (channel, path) in paths.enumerated() {
      let image = try ImageFile.decode(contentsOf: path, name: path)
      #expect(image.pixels.dtype == .float32)
      #expect(image.pixels.shape == expectedShape)
      let expected = stride(from: channel, to: count, by: channels).map { Float(values[$0]) }
      #expect(image.pixels.asFloat.elements == expected)
      #expect(
        try LabelFiles.encode(array, channel: channel)
          == folder.bytes(of: "n_feature_\(channel).tif"))
    }
  }

  private func converted(_ array: NDArray<Int32>, to dtype: DType) -> AnyNDArray {
    switch dtype {
    case .bool: AnyNDArray(array.map { $0 != 0 })
    case .uint8: AnyNDArray(array.map { UInt8($0) })
    case .int8: AnyNDArray(array.map { Int8($0) })
    case .uint16: AnyNDArray(array.map { UInt16($0) })
    case .int16: AnyNDArray(array.map { Int16($0) })
    case .uint32: AnyNDArray(array.map { UInt32($0) })
    case .int32: AnyNDArray(array)
    case .uint64: AnyNDArray(array.map { UInt64($0) })
    case .int64: AnyNDArray(array.map { Int64($0) })
    case .float16: AnyNDArray(array.map { Float16($0) })
    case .float32: AnyNDArray(array.map { Float($0) })
    case .float64: AnyNDArray(array.map { Double($0) })
    }
  }

  @Test func `a large array is written block by block`() throws {
    let shape = [300, 700, 2]
    let array = NDArray(shape: shape, elements: (0..<Int32(300 * 700 * 2)))
    for channel in 0..<2 {
      let bytes = try LabelFiles.encode(AnyNDArray(array), channel: channel)
      let pixels = try ImageFile.decode(bytes, name: "a.tif").pixels
      #expect(pixels.asFloat == array.channel(channel).asFloat)
    }
  }

  @Test(arguments: [[4, 5], [1, 4, 5], [3, 4, 5], [2, 1, 3, 4]])
  func `a file of 4 GiB and more would be read the same`(shape: Shape) throws {
    let values = (0..<shape.reduce(1, *)).map { Float($0) }
    let layout = LabelTIFF(shape: shape, alwaysBig: true)
    let bytes = layout.head + values.withUnsafeBytes { Array($0) } + layout.tail
    #expect(bytes[2] == 43)
    let image = try ImageFile.decode(bytes, name: "a.tif")
    #expect(image.pixels.shape == shape)
    #expect(image.pixels.asFloat.elements == values)
  }

  @Test func `the size at which BigTIFF begins leaves room for the directories`() {
    #expect(LabelTIFF(shape: [60, 2048, 2048]).head[2] == 42)
    let large = LabelTIFF(shape: [256, 2048, 2048])
    #expect(large.head[2] == 43)
    let small = LabelTIFF(shape: [255, 2048, 2048])
    #expect(small.head[2] == 42)
    #expect(small.head.count + 255 << 24 + small.tail.count < 1 << 32)
  }

  @Test func `names may have folders but not leave theirs`() throws {
    let folder = try TemporaryFolder()
    let array = NDArray<Int32>(shape: [2, 2])
    #expect(
      try LabelFiles.save(array, name: "a b/é/x.tif_batch_0", in: folder.path)
        == ["\(folder.path)/a b/é/x.tif_batch_0_feature_0.tif"])
    #expect(
      try LabelFiles.save(array, name: "", in: folder.path) == ["\(folder.path)/feature_0.tif"])
    #expect(
      try LabelFiles.save(array, name: "/sub/", in: folder.path)
        == ["\(folder.path)/sub/feature_0.tif"])
    for name in ["../x", "a/../../x", "a/./x", "x\0y", "x\n", "..\\x"] {
      let error = #expect(throws: ImageFileError.self) {
        try LabelFiles.save(array, name: name, in: folder.path)
      }
      #expect(error?.code == .invalidName)
    }
  }

  @Test func `an array that is no image and a folder that does not exist are errors`() throws {
    let folder = try TemporaryFolder()
    for shape in [[], [3], [0, 4, 1], [2, 3, 0]] {
      let error = #expect(throws: ImageFileError.self) {
        try LabelFiles.save(NDArray<Int32>(shape: shape), name: "x", in: folder.path)
      }
      #expect(error?.code == .unsupportedArray)
    }
    let error = #expect(throws: ImageFileError.self) {
      try LabelFiles.save(NDArray<Int32>(shape: [2, 2]), name: "x", in: "\(folder.path)/none")
    }
    #expect(error?.code == .notWritten)
    #expect(error?.description.contains(folder.path) == false)
  }
}
