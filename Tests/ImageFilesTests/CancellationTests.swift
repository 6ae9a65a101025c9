import Arrays
import TestSupport
import Testing

@testable import ImageFiles

/// Decoding ends when nobody waits for it any more. Each test cancels the task it runs in and goes on to
/// the next strip, tile, row or page.
@Suite(.computing) struct CancellationTests {
  /// Runs the body in a task that `cancel` cancels.
  private func inTask<Value: Sendable>(
    _ body: @escaping @Sendable (_ cancel: () -> Void) throws -> Value
  ) async throws -> Value {
    try await Task {
      try body { withUnsafeCurrentTask { $0?.cancel() } }
    }.value
  }

  private func expectCancelled(_ body: () throws -> Void) {
    let error = #expect(throws: ImageFileError.self) { try body() }
    #expect(error?.code == .cancelled)
  }

  @Test(arguments: [
    "lzw_u2_plain_strip.tif", "zlib_f4_plain_tile.tif", "jpeg_tiles_stack.tif", "bits_12.tif",
    "planar_strips_lzw.tif", "bigtiff_be_stack.tif",
  ])
  func `between the blocks of a TIFF page`(file: String) async throws {
    let bytes = try FormatCase.bytes(of: file)
    try await inTask { cancel in
      try bytes.withUnsafeBytes { bytes in
        let handle = try TIFFHandle(
          ByteSource(borrowing: bytes, name: file), limits: .generous)
        let page = try #require(try handle.pages(limits: .generous).last)
        let size = try #require(page.dtype).size * page.shape.reduce(1, *)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        defer { memory.deallocate() }
        try handle.checkDecodable(page)
        try handle.decode(page, number: 1, into: memory)
        cancel()
        self.expectCancelled { try handle.decode(page, number: 1, into: memory) }
      }
    }
  }

  @Test func `between the directories of a TIFF`() async throws {
    let bytes = try FormatCase.bytes(of: "thumbnail_first_series.tif")
    try await inTask { cancel in
      try bytes.withUnsafeBytes { bytes in
        let handle = try TIFFHandle(
          ByteSource(borrowing: bytes, name: "a.tif"), limits: .generous)
        cancel()
        self.expectCancelled { _ = try handle.pages(limits: .generous) }
      }
    }
  }

  @Test(arguments: [
    "imagej_virtual.tif", "png_2_8.png", "png_interlaced.png", "jpeg_rgb.jpg", "jpeg_grey.jpg",
    "fortran.npy", "picture_grey.bin",
  ])
  func `while a file is read`(file: String) async throws {
    let bytes = try FormatCase.bytes(of: file)
    try await inTask { cancel in
      _ = try ImageFile.decode(bytes, name: file)
      cancel()
      self.expectCancelled { _ = try ImageFile.decode(bytes, name: file) }
    }
  }

  @Test func `between the pieces of a large array`() async throws {
    let bytes = [UInt8](repeating: 1, count: 20 << 20)
    try await inTask { cancel in
      try bytes.withUnsafeBytes { bytes in
        let source = ByteSource(borrowing: bytes, name: "a.npy")
        let memory = UnsafeMutableRawBufferPointer.allocate(
          byteCount: bytes.count, alignment: 16)
        defer { memory.deallocate() }
        try source.readAll(into: memory, at: 0)
        cancel()
        self.expectCancelled { try source.readAll(into: memory, at: 0) }
      }
    }
  }

  @Test func `between the blocks of an archive's member`() async throws {
    let folder = try TemporaryFolder()
    let zip = ZipBytes([.init("a.tif", [UInt8](repeating: 1, count: 1000))])
    let path = try folder.write(zip.bytes, as: "a.zip")
    try await inTask { cancel in
      let reader = try ZipReader(path: path, name: "a.zip")
      cancel()
      self.expectCancelled { _ = try reader.bytes(of: reader.members[0], limit: 1000) }
      self.expectCancelled { _ = try reader.unpack(reader.members[0], into: folder.path) }
    }
    #expect(throws: (any Error).self) { try folder.bytes(of: "a.tif") }
  }
}
