import Arrays
import TestSupport
import Testing

@testable import ImageFiles

@Suite(.computing) struct TIFFLayoutTests {
  @Test(arguments: 0..<300)
  func `pixels do not depend on how they are laid out`(seed: Int) throws {
    let sample = SampleTIFF(seed: seed)
    let pixels = sample.pixels(seed: seed)
    let image = try ImageFile.decode(sample.encode(pixels), name: "a.tif")
    #expect(image.pixels.dtype == sample.dtype)
    #expect(image.pixels.shape == sample.shape)
    #expect(image.pixels.bytes == pixels, "\(sample)")
  }

  @Test(arguments: 0..<60)
  func `a damaged layout is refused or decoded within the limits`(seed: Int) throws {
    var generator = SeededGenerator(seed: seed)
    let sample = SampleTIFF(seed: seed)
    let original = sample.encode(sample.pixels(seed: seed))
    let limits = DecodingLimits(width: 4096, height: 4096, frames: 64, bytes: 4 << 20)
    for round in 0..<40 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        bytes[Int.random(in: bytes.indices, using: &generator)] =
          UInt8.random(in: 0...255, using: &generator)
      }
      if let image = try? ImageFile.decode(bytes, name: "a.tif", limits: limits) {
        #expect(image.pixels.byteCount <= limits.bytes, "round \(round)")
      }
    }
  }

  @Test(arguments: [
    "{\"shape\": [2, 3]}", "{\"a\": [1, [2, {}], \"]\"], \"shape\": [2,3], \"b\": null}\0",
    " { \"x\" : \"\\\"}\" , \"shape\":[ 2 , 3 ]} ", "shape=(2, 3)", "{\"shape\": [2.0, 3]}",
  ])
  func `a shape is found in a description`(text: String) throws {
    let shaped = ShapedDescription(String(text.drop(while: { $0 == " " })))
    #expect(shaped?.shape == [2, 3])
  }

  @Test(arguments: [
    "", "{", "{}", "{\"shape\": 3}", "{\"shape\": [2, \"3\"]}", "{\"shape\": [2, -3]}",
    "{\"shape\": []}", "{\"shape\": [2.5, 3]}", "{\"shape\": [2, 0]}", "{\"shape\": [1e300, 3]}",
    "{\"shape\": [2, 3]} more", "shape=(2, x)", "shape=()", "{\"shape\": [9223372036854775807, 9]}",
    "{\"shape\": [2, 3", String(repeating: "{\"shape\":", count: 10_000),
    "{\"shape\":" + String(repeating: "[", count: 10_000),
  ])
  func `a description without a usable shape has none`(text: String) {
    #expect(ShapedDescription(text) == nil)
  }

  @Test func `XML is walked through, with what is not XML at the end`() {
    var scanner = XMLScanner(
      "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]>\n<x:a k=\"1 &amp; &lt;2&gt; &unknown;\">"
        + "<!-- <no/> --><b/>te&quot;xt<![CDATA[<no>]]></x:a><broken ")
    var events: [XMLScanner.Event] = []
    while let event = scanner.next() {
      if case .text(let text) = event, text.allSatisfy(\.isWhitespace) { continue }
      events.append(event)
    }
    #expect(
      events.suffix(5) == [
        .open("a", ["k": "1 & <2> &unknown;"]), .open("b", [:]), .close("b"), .text("te\"xt"),
        .close("a"),
      ])
  }

  @Test(arguments: 0..<200)
  func `no description crashes or hangs`(seed: Int) {
    var generator = SeededGenerator(seed: seed)
    let pieces = [
      "<OME UUID=\"a\">", "<Pixels DimensionOrder=\"XYZCT\" SizeX=\"3\" SizeY=\"2\" SizeZ=\"1\" ",
      "SizeC=\"99999999999\" SizeT=\"2\">", "<TiffData IFD=\"-1\" FirstZ=\"7\" PlaneCount=\"99\"/>",
      "<UUID FileName=\"&amp;&#10;\">", "</UUID>", "</Pixels>", "</OME>", "<", ">", "\"", "&", "{",
      "\"shape\":",
      "[1,2", "]}", "ImageJ=1\n", "images=99999999999999999999\n", "frames=-1\n", "\u{0}", "é",
      "shape=(",
    ]
    let text = (0..<Int.random(in: 0..<30, using: &generator)).map { _ in
      pieces.randomElement(using: &generator) ?? ""
    }.joined()
    var scanner = XMLScanner(text)
    var events = 0
    while scanner.next() != nil { events += 1 }
    #expect(events <= text.utf8.count)
    _ = OMEDescription(text)
    _ = ShapedDescription(text)
    _ = ImageJDescription(text)
  }

  @Test func `planes of an OME image in other files are refused by name`() throws {
    func xml(_ own: String, _ ids: [(String, String)]) -> String {
      "<OME\(own)><Image><Pixels DimensionOrder=\"XYZCT\" SizeX=\"40\" SizeY=\"30\" SizeZ=\"1\" "
        + "SizeC=\"1\" SizeT=\"2\">"
        + ids.enumerated().map {
          "<TiffData IFD=\"0\" FirstT=\"\($0)\"><UUID FileName=\"\($1.1)\">\($1.0)</UUID></TiffData>"
        }.joined() + "</Pixels></Image></OME>"
    }
    func series(_ text: String) throws -> TIFFSeries? {
      let sample = try FormatCase.bytes(of: "thumbnail_first_series.tif")
      return try sample.withUnsafeBytes { bytes in
        let handle = try TIFFHandle(
          ByteSource(borrowing: bytes, name: "one.ome.tif"), limits: .generous)
        let pages = try handle.pages(limits: .generous)
        let ome = try #require(OMEDescription(text))
        return try TIFFSeries(ome, file: "one.ome.tif", pages, .generous)
      }
    }
    // Sizes do not fit the sample: a plain stack, unless planes are elsewhere.
    #expect(try series(xml(" UUID=\"a\"", [("a", "old name"), ("a", "old name")])) == nil)
    #expect(try series(xml("", [("b", "x"), ("b", "x")])) == nil)
    let error = #expect(throws: ImageFileError.self) {
      try series(xml(" UUID=\"a\"", [("a", "one.ome.tif"), ("b", "two.ome.tif")]))
    }
    #expect(error?.description.contains("two.ome.tif") == true)
  }

  @Test(arguments: [
    ("golden/get_image/tif_multipage_different_shapes/a.tif", true),
    ("golden/get_image/tif_two_shaped_writes/a.tif", true),
    ("golden/get_image/tif_multipage_plain/a.tif", false),
    ("golden/get_image/tif_pyramid_subifd/a.tif", false), ("formats/lsm_tz.tif", false),
    ("formats/imagej_tzcyx.tif", false), ("formats/imagej_virtual.tif", false),
    ("formats/bigtiff_be_stack.tif", false), ("formats/ome_tczyx.tif", false),
  ])
  func `pages that are left out are counted`(file: String, hasOthers: Bool) throws {
    let image = try ImageFile.decode(Fixtures.bytes(file), name: file)
    #expect((image.otherPages > 0) == hasOthers, "\(image.otherPages)")
  }
}
