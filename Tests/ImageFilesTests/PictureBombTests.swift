import Arrays
import CDeflate
import TestSupport
import Testing

@testable import ImageFiles

/// PNG and JPEG files that are made to take much time or memory, and rare kinds of them.
@Suite(.computing) struct PictureBombTests {
  /// A PNG of 8 x 8 grey pixels with other chunks before them.
  private func png(_ extra: [UInt8], rows: Int = 8) -> [UInt8] {
    let header: [UInt8] = [0, 0, 0, 8, 0, 0, 0, 8, 8, 0, 0, 0, 0]
    let pixels = [UInt8](repeating: 0, count: 9 * rows)
    return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + chunk("IHDR", header) + extra
      + chunk("IDAT", zlib(pixels)) + chunk("IEND", [])
  }

  private func chunk(_ kind: String, _ body: [UInt8]) -> [UInt8] {
    func number(_ value: Int) -> [UInt8] {
      (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }
    let content = Array(kind.utf8) + body
    return number(body.count) + content + number(Int(libdeflate_crc32(0, content, content.count)))
  }

  @Test(arguments: ["zTXt", "iTXt", "iCCP"])
  func `a chunk that would unpack to much is skipped`(kind: String) throws {
    let bomb = zlib([UInt8](repeating: 0, count: 50 << 20))
    let start = Array("name".utf8) + (kind == "iTXt" ? [0, 1, 0, 0, 0] : [0, 0])
    let image = try ImageFile.decode(png(chunk(kind, start + bomb)), name: "a.png")
    #expect(image.pixels.shape == [8, 8, 1])
  }

  @Test(arguments: ["tEXt", "vpAg", "tIME", "sPLT"])
  func `very many chunks are skipped`(kind: String) throws {
    let chunks = Array(repeatElement(chunk(kind, [65, 0]), count: 20_000).joined())
    #expect(try ImageFile.decode(png(chunks), name: "a.png").pixels.shape == [8, 8, 1])
  }

  @Test func `a chunk that claims two gigabytes is refused`() {
    let lie: [UInt8] = [0x7F, 0xFF, 0xFF, 0xFF] + Array("tEXt".utf8)
    #expect(ImageFile.failure(png(lie), name: "a.png")?.code == .damaged)
    let palette: [UInt8] = [0x7F, 0xFF, 0xFF, 0xFF] + Array("PLTE".utf8)
    #expect(ImageFile.failure(png(palette), name: "a.png")?.code == .damaged)
  }

  @Test func `pixels beyond the last row are left alone`() throws {
    let file = png([], rows: 1_000_000)
    if let image = try? ImageFile.decode(file, name: "a.png") {
      #expect(image.pixels.shape == [8, 8, 1])
    }
  }

  /// The position of a JPEG marker.
  private func position(of marker: UInt8, in file: [UInt8]) throws -> Int {
    try #require(
      file.indices.dropLast().first { file[$0] == 0xFF && file[$0 + 1] == marker })
  }

  @Test func `a JPEG of very many scans is refused`() throws {
    let file = try FormatCase.bytes(of: "jpeg_rgb.jpg")
    let start = try position(of: 0xDA, in: file)
    // The first scan, up to the next table or scan.
    let end = try #require(
      file.indices.dropLast().first {
        $0 > start && file[$0] == 0xFF && [0xC4, 0xDA].contains(file[$0 + 1])
      })
    let scans = repeatElement(file[start..<end], count: 150).joined()
    let error = ImageFile.failure(
      Array(file[..<start]) + scans + Array(file[start...]), name: "a.jpg")
    #expect(error?.description.contains("too many scans") == true, "\(error?.description ?? "")")
  }

  @Test func `the coefficients of a progressive JPEG count as memory`() throws {
    let limits = DecodingLimits(bytes: 5_000)
    let progressive = try FormatCase.bytes(of: "jpeg_rgb.jpg")
    #expect(ImageFile.failure(progressive, name: "a.jpg", limits: limits)?.code == .tooLarge)
    let baseline = try FormatCase.bytes(of: "jpeg_subsampled.jpg")
    #expect(ImageFile.failure(baseline, name: "a.jpg", limits: limits) == nil)
  }

  @Test func `a JPEG header that claims more than the file can hold is refused`() throws {
    var file = try FormatCase.bytes(of: "jpeg_grey.jpg")
    let frame = try position(of: 0xC0, in: file)
    file.replaceSubrange(frame + 5..<frame + 9, with: [0xFF, 0xDC, 0xFF, 0xDC])
    #expect(ImageFile.failure(file, name: "a.jpg")?.code == .damaged)
  }

  @Test(arguments: [(4, 12), (1, 0xC3), (9, 2)])
  func `a rare kind of JPEG is refused as such`(offset: Int, value: UInt8) throws {
    var file = try FormatCase.bytes(of: "jpeg_grey.jpg")
    let frame = try position(of: 0xC0, in: file)
    file[frame + offset] = value
    let error = ImageFile.failure(file, name: "a.jpg")
    // The number of colours contradicts the length of its list.
    #expect(error?.code == (offset == 9 ? .damaged : .unsupported), "\(error?.description ?? "")")
  }
}

/// Bytes compressed as PNG and TIFF store them.
func zlib(_ bytes: [UInt8]) -> [UInt8] {
  let compressor = libdeflate_alloc_compressor(9)
  defer { libdeflate_free_compressor(compressor) }
  let bound = libdeflate_zlib_compress_bound(compressor, bytes.count)
  return [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
    count = libdeflate_zlib_compress(compressor, bytes, bytes.count, buffer.baseAddress, bound)
  }
}
