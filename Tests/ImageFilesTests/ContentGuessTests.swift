import ImageFiles
import TestSupport
import Testing

@Suite(.computing) struct ContentGuessTests {
  private static func at(_ offset: Int, _ text: String) -> [UInt8] {
    Array(repeating: 0x11, count: offset) + Array(text.utf8)
  }

  static let files: [(content: [UInt8], hint: String)] = [
    (Array("BM6...".utf8), "a BMP image"), (Array("GIF89a..".utf8), "a GIF image"),
    (Array("RIFF....WEBPVP8 ".utf8), "a WebP image"),
    (Array("ZISRAWFILE".utf8), "a Zeiss CZI file"),
    ([0xDA, 0xCE, 0xBE, 0x0A, 0], "a Nikon ND2 file"), ([0x70, 0, 0, 0, 1], "a Leica LIF file"),
    ([0x89, 0x48, 0x44, 0x46, 0x0D], "an HDF5 file"), (at(128, "DICM"), "a DICOM image"),
    (Array("%PDF-1.7".utf8), "a PDF document"), (Array("PK\u{3}\u{4}".utf8), "a ZIP archive"),
    ([0x1F, 0x8B, 8], "compressed with gzip"), ([0xD0, 0xCF, 0x11, 0xE0], "an OLE container"),
    (at(257, "ustar"), "a tar archive"), ([0x80, 4, 0x95, 0], "a Python pickle"),
    (at(4, "ftypavif"), "an AVIF image"), (at(4, "ftypisom"), "an MP4"),
    ([0xFF, 0x4F, 0xFF, 0x51], "a JPEG 2000 image"),
    (Array("version https://git-lfs.github.com/spec/v1\n".utf8), "a Git LFS pointer"),
    (Array("<!DOCTYPE html><html>".utf8), "a web page"),
    (Array("\u{FEFF}\r\n  <HTML><head><title>504".utf8), "a web page"),
    (Array("<?xml version=\"1.0\"?><Error><Code>NoSuchKey".utf8), "an error message"),
    (Array("<?xml version=\"1.0\"?><svg width='3'>".utf8), "an SVG drawing"),
    (Array("<OME xmlns=''>".utf8), "an XML or HTML text"),
    (Array("{\"a\": 1}".utf8), "a JSON text"),
    (Array("x,y,z\n1,2,3\n".utf8), "a text that starts with \"x,y,z"),
    ([0xFF, 0xFE] + "name".utf8.flatMap { [$0, 0] }, "a text that starts with \"name"),
    (Array("naïve é日本".utf8), "a text that starts with \"naïve"),
    (Array(" \n\t".utf8), "only blanks"),
    (Array(repeating: 0, count: 2000), "zeros"), ([1, 2, 0xFE, 0xFF], "the bytes 01 02 FE FF"),
  ]

  @Test(arguments: files, ["sent.tif", "sent.png"])
  func `a file of another kind is named, and so are the formats that can be read`(
    file: (content: [UInt8], hint: String), name: String
  ) throws {
    let error = try #require(ImageFile.failure(file.content, name: name))
    #expect(error.code == .unknownFormat)
    #expect(error.description.contains(file.hint), "\(error)")
    #expect(error.description.contains("TIFF, PNG, JPEG and NPY files can be read"))
    #expect(!error.description.contains("\n"))
  }

  @Test(arguments: [
    ("png_2_8.png", "PNG image"), ("jpeg_grey.jpg", "JPEG image"), ("fortran.npy", "NumPy array"),
  ])
  func `a file that is named as a TIFF is told its format`(file: String, format: String) throws {
    let error = ImageFile.failure(try FormatCase.bytes(of: file), name: "sent.tif")
    #expect(error?.code == .unknownFormat)
    #expect(error?.description.contains("it is a \(format); give it the ending") == true)
  }

  @Test(arguments: ["type_u1_le.tif", "bigtiff_be_plain.tif", "lzw_u2_plain_strip.tif"])
  func `a TIFF of any other name is a picture with a channel axis`(file: String) throws {
    let bytes = try FormatCase.bytes(of: file)
    let stack = try ImageFile.decode(bytes, name: "sent.TIFF").pixels
    let picture = try ImageFile.decode(bytes, name: "sent.png").pixels
    #expect(picture.shape == stack.shape + [1])
    #expect(picture.bytes == stack.bytes)
  }

  @Test(arguments: ["cmyk.tif", "contig_5.tif", "rgb_float_planar_stack.tif", "palette_4.tif"])
  func `a picture has its channels last and one page`(file: String) throws {
    let picture = try ImageFile.decode(FormatCase.bytes(of: file), name: "sent.png").pixels
    #expect(picture.rank == 3)
    #expect(Array(picture.shape.prefix(2)) == [13, 18])
  }

  @Test(arguments: ["sent.tif", "sent.png", "sent.npy"])
  func `an empty file is named as such`(name: String) {
    let error = ImageFile.failure([], name: name)
    #expect(error?.code == .damaged)
    #expect(error?.description == "\(name) is empty (0 bytes); send it again")
  }
}
