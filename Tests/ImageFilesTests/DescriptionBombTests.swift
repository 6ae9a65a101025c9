import TestSupport
import Testing

@testable import ImageFiles

/// Descriptions in TIFF files that are made to take much time or memory.
@Suite(.computing) struct DescriptionBombTests {
  private let limits = DecodingLimits(frames: 100)

  /// What becomes of a file of one page with this description.
  private func decode(_ text: String) throws -> DecodedImage {
    let text = Array(text.utf8) + [0]
    var file = BareTIFF()
    file.append([UInt8](repeating: 7, count: 16))
    let start = file.append(text)
    file.appendDirectory(BareTIFF.page(changing: [(270, 2, text.count, start)]))
    return try ImageFile.decode(file.bytes, name: "a.tif", limits: limits)
  }

  private func pixels(planes: Int = 1, _ blocks: String) -> String {
    "<Pixels DimensionOrder=\"XYZCT\" SizeX=\"4\" SizeY=\"4\" SizeZ=\"1\" SizeC=\"1\" "
      + "SizeT=\"\(planes)\">\(blocks)</Pixels>"
  }

  private func repeated(_ text: String, _ count: Int) -> String {
    String(repeating: text, count: count)
  }

  @Test func `a page that is no part of what the text describes is read as it is`() throws {
    for text in [
      repeated("<a>", 200_000) + "</OME>", "<OME>" + repeated("&", 1 << 20) + "</OME>",
      "<OME " + repeated("a=\"&amp\" ", 50_000) + "/></OME>",
      "<OME>" + repeated("<", 200_000) + "OME>",
      "<!DOCTYPE o [<!ENTITY a \"aaaa\">" + repeated("<!ENTITY b \"&a;&a;&a;\">", 10_000)
        + "]><OME>&b;</OME>",
      repeated("<!--", 100_000) + "OME>", "{\"a\": " + repeated("[", 500_000),
      "{" + (0..<50_000).map { "\"k\($0)\":[\(repeated("1,", 5))1]," }.joined() + "\"a\":1}",
      "{\"shape\": [" + repeated("1,", 200_000) + "16]}", "shape=(" + repeated("1,", 200_000) + ")",
      "ImageJ=1\n" + repeated("\n", 300_000) + repeated("a=b\n", 50_000) + "images="
        + repeated("=", 9999),
    ] {
      #expect(try decode(text).pixels.shape == [4, 4], "\(text.prefix(40))")
    }
  }

  @Test func `entities are replaced once`() {
    var scanner = XMLScanner("<a b='&amp;lt;&lt;&gt;&quot;&apos;&amp;&none;&#65;&'/>")
    #expect(scanner.next() == .open("a", ["b": "&lt;<>\"'&&none;&#65;&"]))
  }

  @Test func `more blocks than a file can have planes are refused`() throws {
    let text = "<OME>" + pixels(repeated("<TiffData/>", OMEDescription.mostBlocks + 1)) + "</OME>"
    let error = #expect(throws: ImageFileError.self) { try decode(text) }
    #expect(error?.code == .tooLarge)
  }

  @Test func `images that all claim all pages are refused`() throws {
    let none = pixels(planes: 100, "<TiffData IFD=\"7\" FirstT=\"99\"/>")
    let error = #expect(throws: ImageFileError.self) {
      try decode("<OME>" + repeated(none, 20_000) + "</OME>")
    }
    #expect(error?.code == .damaged)
  }

  @Test func `an image of too many planes is refused before memory is taken for them`() throws {
    let text = "<OME>" + pixels(planes: 2_000_000_000, "<TiffData/>") + "</OME>"
    #expect(throws: ImageFileError.self) { try decode(text) }
  }

  @Test func `a description of tens of megabytes is refused`() throws {
    let error = #expect(throws: ImageFileError.self) {
      try decode("{" + repeated(" ", 33 << 20) + "}")
    }
    #expect(error?.reason.contains("a description of") == true)
  }
}
