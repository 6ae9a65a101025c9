import Arrays
import Foundation
import TestSupport
import Testing

@testable import ImageFiles

/// Small files that are made to take much time or memory.
@Suite(.computing) struct TIFFBombTests {
  private let limits = DecodingLimits(bytes: 64 << 20, freeExpansion: 1 << 20)

  private func failure(_ file: BareTIFF) -> ImageFileError? {
    ImageFile.failure(file.bytes, name: "a.tif", limits: limits)
  }

  @Test func `the sample these files are made from is fine`() throws {
    let image = try ImageFile.decode(BareTIFF().withPage.bytes, name: "a.tif", limits: limits)
    #expect(image.pixels.bytes == Array(repeating: 7, count: 16))
  }

  @Test func `directories in a circle are refused`() {
    var file = BareTIFF()
    file.append([UInt8](repeating: 7, count: 16))
    let first = file.appendDirectory(BareTIFF.page())
    file.appendDirectory(BareTIFF.page())
    file.appendDirectory(BareTIFF.page())
    file.lead(to: first)
    #expect(failure(file)?.code == .damaged)
  }

  @Test func `directories beyond the allowed frames are not read`() {
    var file = BareTIFF()
    file.append([UInt8](repeating: 7, count: 16))
    for _ in 0..<2_000 { file.appendDirectory(BareTIFF.page()) }
    let error = ImageFile.failure(
      file.bytes, name: "a.tif", limits: DecodingLimits(frames: 1_000))
    #expect(error?.code == .tooLarge)
    #expect(error?.description.contains("more than 1000 frames") == true)
  }

  @Test func `directories that share one huge text are refused`() {
    var file = BareTIFF()
    file.append([UInt8](repeating: 7, count: 16))
    let text = file.append([UInt8](repeating: 0x20, count: 2 << 20))
    for _ in 0..<50 {
      file.appendDirectory(BareTIFF.page(changing: [(270, 2, 2 << 20, text)]))
    }
    #expect(failure(file)?.reason.contains("more than the file can hold") == true)
  }

  @Test(arguments: [4_000, 4_000_000, 4_000_000_000])
  func `more strips than the file has room for are refused`(height: Int) {
    let file = BareTIFF(width: 1, height: height, changing: [(278, 4, 1, 1)])
    #expect(failure(file) != nil)
  }

  @Test(arguments: [270, 273, 279, 320, 330, 333, 700, 33628, 34412])
  func `a tag of four billion elements is refused or ignored`(tag: Int) {
    for type in [1, 2, 4, 5, 7] {
      let file = BareTIFF(changing: [(tag, type, 0xFFFF_FFFF, 8)])
      if let image = try? ImageFile.decode(file.bytes, name: "a.tif", limits: limits) {
        #expect(image.pixels.shape == [4, 4])
      }
    }
  }

  @Test func `strips that share their bytes too often are refused`() {
    // Each strip is one row of PackBits and claims the whole padding behind it.
    var file = BareTIFF()
    let data = file.append([3, 1, 2, 3, 4] + [UInt8](repeating: 0x80, count: 500_000))
    let rows = 1_000
    let offsets = file.append(Array(repeating: data, count: rows))
    let counts = file.append(Array(repeating: 500_000, count: rows))
    file.appendDirectory(
      BareTIFF.page(
        height: rows,
        changing: [
          (259, 4, 1, 32773), (273, 4, rows, offsets), (278, 4, 1, 1), (279, 4, rows, counts),
        ]))
    #expect(failure(file)?.reason.contains("the same pixels too often") == true)
  }

  @Test func `one tile that is much larger than its image is refused`() {
    let changes: [BareTIFF.Tag] = [
      (259, 4, 1, 8), (322, 4, 1, 65_520), (323, 4, 1, 65_520), (324, 4, 1, 8), (325, 4, 1, 16),
    ]
    let file = BareTIFF(changing: changes)
    #expect(failure(file)?.reason.contains("stored in tiles of 4.3 GB") == true)
  }

  @Test func `directories below directories are not followed`() throws {
    var file = BareTIFF()
    file.append([UInt8](repeating: 7, count: 16))
    let start = file.bytes.count
    file.appendDirectory(BareTIFF.page(changing: [(330, 4, 1, start)]))
    let image = try ImageFile.decode(file.bytes, name: "a.tif", limits: limits)
    #expect(image.pixels.shape == [4, 4])
  }

  @Test func `a deflated strip that unpacks to more than its page gives no foreign memory`() throws
  {
    let bomb = zlib([UInt8](repeating: 9, count: 8 << 20))
    let file = BareTIFF(pixels: bomb, changing: [(259, 4, 1, 8)])
    for _ in 0..<20 {
      let image = try ImageFile.decode(file.bytes, name: "a.tif", limits: limits)
      #expect(image.pixels.bytes.allSatisfy { $0 == 9 || $0 == 0 })
    }
  }

  @Test(arguments: [1, 3, 4, 5, 17, 100])
  func `a last strip that is filled up to the height of the others is read`(height: Int) throws {
    // Rows of one value make matches that reach over the last row's end.
    let pixels = (0..<20 * 64).map { UInt8(truncatingIfNeeded: 1 + $0 / 640) }
    let strip = zlib(pixels)
    let strips = (height + 19) / 20
    var file = BareTIFF()
    let start = file.append(strip)
    let offsets = strips == 1 ? start : file.append(Array(repeating: start, count: strips))
    let counts =
      strips == 1 ? strip.count : file.append(Array(repeating: strip.count, count: strips))
    file.appendDirectory(
      BareTIFF.page(
        width: 64, height: height,
        changing: [
          (259, 4, 1, 8), (273, 4, strips, offsets), (278, 4, 1, 20), (279, 4, strips, counts),
        ]))
    let image = try ImageFile.decode(file.bytes, name: "a.tif", limits: limits)
    #expect(image.pixels.bytes == (0..<height * 64).map { pixels[$0 % pixels.count] })
  }

  @Test(arguments: [
    (2, "CCITT"), (6, "old-style JPEG"), (33003, "JPEG 2000"), (34712, "JPEG 2000"),
    (34925, "LZMA"), (50001, "WebP"), (50002, "JPEG XL"), (12345, "12345"),
  ])
  func `a compression that is not read is named`(scheme: Int, name: String) {
    let error = failure(BareTIFF(changing: [(259, 4, 1, scheme)]))
    #expect(error?.code == .unsupported || scheme == 6)
    #expect(error?.description.contains(name) == true || scheme == 6, "\(error?.description ?? "")")
  }

  @Test(
    arguments: [
      ([(33445, 4, 1, 2)], "gel scan"), ([(339, 4, 1, 6)], "complex numbers"),
      ([(258, 4, 1, 24)], "24-bit samples"),
      ([(258, 4, 1, 12), (259, 4, 1, 7)], "12 bits per value"),
      ([(262, 4, 1, 6), (277, 4, 1, 3), (278, 4, 1, 1)], "YCbCr"),
      ([(33628, 4, 1, 0), (33629, 5, 3, 8), (259, 4, 1, 5)], "MetaMorph"),
    ] as [([BareTIFF.Tag], String)])
  func `content that would be read wrongly is refused by name`(
    changes: [BareTIFF.Tag], name: String
  ) {
    let error = failure(BareTIFF(changing: changes))
    #expect(error?.code == .unsupported)
    #expect(error?.description.contains(name) == true, "\(error?.description ?? "")")
  }

  @Test func `a FluoView stack is refused by name`() {
    var file = BareTIFF(changing: [(34362, 4, 1, 0)])
    file.appendDirectory(BareTIFF.page())
    #expect(failure(file)?.description.contains("FluoView") == true)
  }
}

extension BareTIFF {
  /// The file with one page that has no changes.
  fileprivate var withPage: BareTIFF { BareTIFF(pixels: Array(repeating: 7, count: 16)) }
}
