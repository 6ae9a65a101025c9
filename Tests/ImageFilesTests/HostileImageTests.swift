import Arrays
import ImageFiles
import TestSupport
import Testing

/// What happens to files that are cut off or changed. Limits are low, so that a reader that believed
/// a lying header would show.
@Suite(.computing) struct HostileImageTests {
  private static let limits = DecodingLimits(
    width: 4096, height: 4096, frames: 64, channels: 16, bytes: 4 << 20, freeExpansion: 4 << 20)

  private static let smallFiles = [
    "type_u2_le.tif", "lzw_u2_predictor_strip.tif", "zlib_f4_predictor_tile.tif",
    "packbits_u1_plain_tile.tif",
    "zstd_u2_plain_strip.tif", "jpeg_grey.tif", "planar_strips_lzw.tif", "bool_tiles.tif",
    "bits_12.tif",
    "bigtiff_be_stack.tif", "truncated.tif", "ome_shuffled.tif",
    "png_0_1.png", "png_0_16.png", "png_6_8.png",
    "png_interlaced.png",
    "picture_rgb16.bin", "jpeg_rgb.jpg", "jpeg_grey.jpg", "fortran.npy", "version_2.npy",
    "array_be_f8.npy",
  ]

  @Test(arguments: smallFiles)
  func `a cut-off file is refused or keeps all its pixels`(file: String) throws {
    let bytes = try FormatCase.bytes(of: file)
    let whole = try ImageFile.decode(bytes, name: file)
    for length in 0..<bytes.count {
      let cut = Array(bytes[..<length])
      do {
        let image = try ImageFile.decode(cut, name: file, limits: Self.limits)
        #expect(image.pixels.bytes == whole.pixels.bytes, "cut at \(length)")
      } catch {
        #expect(error.description.hasPrefix(file), "cut at \(length)")
        #expect(!error.reason.isEmpty)
      }
    }
  }

  @Test func `a stack behind one directory is not shortened silently`() throws {
    let bytes = try FormatCase.bytes(of: "imagej_virtual.tif")
    let error = ImageFile.failure(Array(bytes.dropLast(100)), name: "stack.tif")
    #expect(error?.description.contains("should have 5 pages but has pixels for only 4") == true)
  }

  @Test(arguments: 0..<200)
  func `random bytes behind a known mark are refused`(seed: Int) {
    var generator = SeededGenerator(seed: seed)
    let marks: [(String, [UInt8])] = [
      ("a.tif", [0x49, 0x49, 42, 0, 8, 0, 0, 0, 3, 0]), ("a.tif", [0x4D, 0x4D, 0, 43, 0, 8, 0, 0]),
      ("a.png", [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]),
      ("a.npy", [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, 40, 0]), ("a.png", []),
    ]
    let (name, mark) = marks[seed % marks.count]
    let noise = (0..<Int.random(in: 0..<300, using: &generator)).map { _ in
      UInt8.random(in: 0...255, using: &generator)
    }
    #expect(ImageFile.failure(mark + noise, name: name, limits: Self.limits) != nil)
  }

  @Test func `a TIFF directory that points to itself is refused`() throws {
    var bytes = try FormatCase.bytes(of: "type_u1_le.tif")
    // The directory starts at 8; its last field is the next one's position.
    let entries = Int(bytes[8]) | Int(bytes[9]) << 8
    bytes[8 + 2 + 12 * entries] = 8
    let error = ImageFile.failure(bytes, name: "loop.tif")
    #expect(error?.code == .damaged)
  }

  @Test func `a missing file and a folder are refused`() throws {
    let folder = try TemporaryFolder()
    for path in ["\(folder.path)/none.tif", folder.path] {
      let error = #expect(throws: ImageFileError.self) {
        try ImageFile.decode(contentsOf: path, name: "shown.tif")
      }
      #expect(error?.code == .unreadable)
      #expect(error?.description.contains(folder.path) == false)
    }
  }

  @Test func `an error shows a hostile name on one short line`() {
    let name = String(repeating: "x\n\u{1B}[31m", count: 500) + ".tif"
    let text = ImageFile.failure([1, 2, 3], name: name)?.description ?? ""
    #expect(!text.isEmpty && !text.contains("\n") && !text.contains("\u{1B}"))
    #expect(text.count < 500)
  }
}
