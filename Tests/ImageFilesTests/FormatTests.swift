import Arrays
import Foundation
import ImageFiles
import TestSupport
import Testing

/// A file of Fixtures/images/formats with what tifffile, Pillow or numpy reads from it.
struct FormatCase: Decodable, Sendable, CustomTestStringConvertible {
  let file: String
  let shape: [Int]

  var testDescription: String { file }

  static let all: [FormatCase] = {
    guard let index = try? Fixtures.bytes("formats/index.json") else { return [] }
    return (try? JSONDecoder().decode([FormatCase].self, from: Data(index))) ?? []
  }()

  func bytes() throws -> [UInt8] { try Fixtures.bytes("formats/\(file)") }

  static func bytes(of file: String) throws -> [UInt8] { try Fixtures.bytes("formats/\(file)") }
}

@Suite(.computing) struct FormatTests {
  @Test func `there are files of all formats`() { #expect(FormatCase.all.count >= 169) }

  @Test(arguments: FormatCase.all)
  func `a file decodes to the array other programs see`(example: FormatCase) throws {
    let image = try ImageFile.decode(example.bytes(), name: example.file)
    let expected = try ImageFile.decode(
      Fixtures.bytes("formats/\(example.file).npy"), name: "expected.npy"
    ).pixels

    #expect(expected.shape == example.shape)
    try #require(image.pixels.shape == example.shape)
    #expect(image.axes.count == example.shape.count)
    if example.file.contains("jpeg") {
      let differences = zip(image.pixels.asFloat.elements, expected.asFloat.elements).map {
        $0 - $1
      }
      #expect(differences.allSatisfy { abs($0) <= 3 })
    } else {
      #expect(image.pixels.dtype == expected.dtype)
      #expect(image.pixels.bytes == expected.bytes)
    }
  }

  @Test(arguments: FormatCase.all)
  func `a file on disk decodes as one in memory`(example: FormatCase) throws {
    let folder = try TemporaryFolder()
    let bytes = try example.bytes()
    let path = try folder.write(bytes, as: "file")
    let fromDisk = try ImageFile.decode(contentsOf: path, name: example.file)
    let fromMemory = try ImageFile.decode(bytes, name: example.file)
    #expect(fromDisk.pixels.shape == fromMemory.pixels.shape)
    #expect(fromDisk.pixels.bytes == fromMemory.pixels.bytes)
    #expect(fromDisk.axes == fromMemory.axes)
  }

  @Test(arguments: [
    ("imagej_tzcyx.tif", "TZCYX"), ("imagej_cyx.tif", "CYX"), ("imagej_rgb_stack.tif", "ZYXS"),
    ("ome_tczyx.tif", "TCZYX"), ("ome_zctyx.tif", "ZCTYX"), ("ome_planar.tif", "TSYX"),
    ("ome_rgb.tif", "ZYXS"), ("planar_tiles.tif", "SYX"), ("thumbnail_first_series.tif", "IYX"),
    ("png_6_8.png", "YXS"), ("type_u1_le.tif", "YX"), ("stk_z.tif", "IYX"), ("lsm_tz.tif", "TZYX"),
    ("bigtiff_ome.tif", "CYX"), ("cmyk.tif", "YXS"),
  ])
  func `the axes are named as the file describes them`(file: String, axes: String) throws {
    #expect(try ImageFile.decode(FormatCase.bytes(of: file), name: file).axes == axes)
  }
}
