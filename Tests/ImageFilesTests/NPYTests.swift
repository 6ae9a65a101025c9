import Arrays
import ImageFiles
import TestSupport
import Testing

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
