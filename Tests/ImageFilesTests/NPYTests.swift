import Arrays
import TestSupport
import Testing

@testable import ImageFiles

@Suite(.computing) struct NPYTests {
  private func file(_ header: String, body: [UInt8] = [], version: UInt8 = 1) -> [UInt8] {
    let text = Array(header.utf8)
    let length =
      version == 1
      ? [UInt8(text.count & 0xFF), UInt8(text.count >> 8)]
      : [UInt8(text.count & 0xFF), UInt8(text.count >> 8), 0, 0]
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + text + body
  }

  @Test(arguments: 0..<100)
  func `an array survives writing and reading`(seed: Int) throws {
    var generator = SeededGenerator(seed: seed)
    let dtype = try #require(DType.allCases.randomElement(using: &generator))
    let shape = (0..<Int.random(in: 0...4, using: &generator)).map { _ in
      Int.random(in: 0...5, using: &generator)
    }
    let array = AnyNDArray(dtype: dtype, uninitialized: shape) { memory in
      for i in memory.indices {
        memory[i] = dtype == .bool ? UInt8.random(in: 0...1) : UInt8.random(in: 0...255)
      }
    }
    let bytes = NPYEncoder.encode(array)
    #expect((bytes.count - array.byteCount) % 64 == 0)
    let read = try ImageFile.decode(bytes, name: "a.npy").pixels
    #expect(read.dtype == dtype)
    #expect(read.shape == shape)
    #expect(read.bytes == array.bytes)
  }

  @Test(arguments: DType.allCases, [false, true])
  func `every type is read in either byte order and order of axes`(
    dtype: DType, isFortranOrder: Bool
  ) throws {
    var generator = SeededGenerator(seed: dtype.size)
    let shape = [3, 4, 5]
    let values = (0..<60).map { _ in
      (0..<dtype.size).map { _ in
        UInt8.random(in: 0...(dtype == .bool ? 1 : 255), using: &generator)
      }
    }
    // The element at (i, j, k) is the n-th of the file.
    let stored = (0..<60).map { n in
      isFortranOrder ? (n % 3 * 20 + n / 3 % 4 * 5 + n / 12) : n
    }
    for isBigEndian in [false, true] {
      let header = NPYHeader(
        dtype: dtype, isBigEndian: isBigEndian, isFortranOrder: isFortranOrder, shape: shape)
      let body = stored.flatMap { isBigEndian ? values[$0].reversed() : values[$0] }
      let image = try ImageFile.decode(header.encoded + body, name: "a.npy")
      #expect(image.pixels.dtype == dtype)
      #expect(image.pixels.shape == shape)
      #expect(image.pixels.bytes == values.flatMap { $0 })
    }
  }

  @Test(arguments: [[], [0], [3, 0, 2], [1, 1, 1, 1, 1, 1, 1]])
  func `arrays without axes, without elements and of many axes are read`(shape: Shape) throws {
    let array = AnyNDArray(dtype: .int16, uninitialized: shape) {
      $0.initializeMemory(as: UInt8.self, repeating: 1)
    }
    let read = try ImageFile.decode(NPYEncoder.encode(array), name: "a.npy").pixels
    #expect(read.shape == shape)
    #expect(read.bytes == array.bytes)
  }

  @Test(arguments: [
    "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }",
    "{'shape':(2,),'descr':'|u1','fortran_order':False}   \n",
    "{\"descr\": \"u1\", \"fortran_order\": False, \"shape\": (2L,)}",
    "{'descr': '=u1', 'fortran_order': True, 'shape': (1, 2)}",
  ])
  func `header spellings that numpy wrote are read`(header: String) throws {
    for version in [1, 2, 3] as [UInt8] {
      let bytes = file(header, body: [5, 6], version: version)
      #expect(try ImageFile.decode(bytes, name: "a.npy").pixels.bytes == [5, 6])
    }
  }

  @Test(arguments: [
    "", "{", "{}", "[]", "{'descr': '|u1'}", "{'descr': '|u1', 'fortran_order': False}",
    "{'descr': '|u1', 'fortran_order': 0, 'shape': (2,)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (2)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (-1,)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), 'more': 1}",
    "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (2,)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (4611686018427387904, 4)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (3,)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (2,)} + exit()",
    "__import__('os').system('true')",
    "{'descr': __import__('os'), 'fortran_order': False, 'shape': (2,)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (1+1,)}",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (" + String(repeating: "1,", count: 40)
      + ")}",
  ])
  func `a malformed header is refused`(header: String) {
    let error = ImageFile.failure(file(header, body: [5, 6]), name: "a.npy")
    #expect(error?.code == .damaged)
  }

  @Test(arguments: [
    "'|O'", "'<c16'", "'<U5'", "'|S3'", "'<M8[ns]'", "'|V4'", "'<f16'", "[('a', '<i4')]",
  ])
  func `elements that are no real numbers are refused by name`(code: String) {
    let header = "{'descr': \(code), 'fortran_order': False, 'shape': (2,)}"
    let error = ImageFile.failure(file(header, body: [5, 6]), name: "a.npy")
    #expect(error?.code == .unsupported)
    #expect(error?.advice?.contains("astype") == true)
  }

  @Test func `an unknown version and a huge header are refused`() {
    #expect(
      ImageFile.failure([0x93] + Array("NUMPY".utf8) + [4, 0, 0, 0, 0, 0], name: "a.npy")?.code
        == .unsupported)
    let huge: [UInt8] = [0x93] + Array("NUMPY".utf8) + [2, 0, 0xFF, 0xFF, 0xFF, 0xFF]
    #expect(ImageFile.failure(huge, name: "a.npy")?.code == .damaged)
  }

  @Test func `any non-zero byte of a Boolean array is true`() throws {
    let bytes = file("{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}", body: [0, 1, 200])
    #expect(try ImageFile.decode(bytes, name: "a.npy").pixels.bytes == [0, 1, 1])
  }
}
