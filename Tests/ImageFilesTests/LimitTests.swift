import Arrays
import ImageFiles
import TestSupport
import Testing

@Suite(.computing) struct LimitTests {
  private func code(_ file: String, _ limits: DecodingLimits) throws -> ImageFileError.Code? {
    ImageFile.failure(try FormatCase.bytes(of: file), name: file, limits: limits)?.code
  }

  @Test(arguments: ["type_u1_le.tif", "png_2_8.png", "lzw_u2_plain_strip.tif"])
  func `width and height are limited`(file: String) throws {
    #expect(try code(file, DecodingLimits(width: 18, height: 13)) == nil)
    #expect(try code(file, DecodingLimits(width: 17, height: 13)) == .tooLarge)
    #expect(try code(file, DecodingLimits(width: 18, height: 12)) == .tooLarge)
  }

  @Test(arguments: [
    ("imagej_tyx.tif", 2), ("imagej_zcyx.tif", 12), ("truncated.tif", 6),
    ("imagej_virtual.tif", 5), ("ome_all_pages.tif", 6), ("ome_missing.tif", 6),
  ])
  func `frames are limited`(file: String, frames: Int) throws {
    #expect(try code(file, DecodingLimits(frames: frames)) == nil)
    #expect(try code(file, DecodingLimits(frames: frames - 1)) == .tooLarge)
  }

  @Test(arguments: [("contig_5.tif", 5), ("planar_tiles.tif", 3), ("png_6_8.png", 4)])
  func `values per pixel are limited`(file: String, channels: Int) throws {
    #expect(try code(file, DecodingLimits(channels: channels)) == nil)
    #expect(try code(file, DecodingLimits(channels: channels - 1)) == .tooLarge)
  }

  @Test(arguments: [
    "type_f8_le.tif", "zlib_f4_plain_tile.tif", "png_0_16.png", "fortran.npy", "truncated.tif",
    "imagej_virtual.tif",
  ])
  func `bytes are limited`(file: String) throws {
    let bytes = try ImageFile.decode(FormatCase.bytes(of: file), name: file).pixels.byteCount
    #expect(try code(file, DecodingLimits(bytes: bytes)) == nil)
    #expect(try code(file, DecodingLimits(bytes: bytes - 1)) == .tooLarge)
  }

  @Test func `a message names what was found and what is allowed`() throws {
    let error = ImageFile.failure(
      try FormatCase.bytes(of: "type_u1_le.tif"), name: "big.tif",
      limits: DecodingLimits(width: 10, height: 10))
    #expect(
      error?.description
        == "big.tif is 18 x 13 pixels; at most 10 x 10 are allowed; crop it or reduce its size")
  }

  /// A TIFF of one compressed page that claims any size but has a few bytes of data.
  private func lyingTIFF(width: UInt32, height: UInt32, compression: UInt32) -> [UInt8] {
    let tags: [(UInt32, UInt32)] = [
      (256, width), (257, height), (258, 8), (259, compression), (262, 1), (273, 8), (277, 1),
      (278, height), (279, 16),
    ]
    var bytes: [UInt8] = [0x49, 0x49, 42, 0, 24, 0, 0, 0]
    bytes += Array(repeating: 7, count: 16)
    func append(_ value: UInt32, _ count: Int) {
      for i in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(8 * i))) }
    }
    append(UInt32(tags.count), 2)
    for (tag, value) in tags {
      append(tag, 2)
      append(4, 2)
      append(1, 4)
      append(value, 4)
    }
    append(0, 4)
    return bytes
  }

  @Test(arguments: [1, 5, 8, 32773, 50000] as [UInt32])
  func `a header that claims more than the file can hold is refused`(compression: UInt32) {
    let bytes = lyingTIFF(width: 60_000, height: 60_000, compression: compression)
    #expect(ImageFile.failure(bytes, name: "a.tif")?.code == .damaged)
    let impossible = lyingTIFF(width: .max, height: .max, compression: compression)
    #expect(ImageFile.failure(impossible, name: "a.tif") != nil)
  }

  @Test func `a PNG header that claims more than the file can hold is refused`() throws {
    // A valid header chunk of 60000 x 60000, and nothing else.
    let bytes: [UInt8] = [
      0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0,
      0xEA, 0x60, 0, 0, 0xEA, 0x60, 8, 0, 0, 0, 0,
    ]
    #expect(ImageFile.failure(bytes, name: "a.png")?.code == .damaged)
  }
}
