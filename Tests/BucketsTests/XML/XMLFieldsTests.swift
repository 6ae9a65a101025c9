import TestSupport
import Testing

@testable import Buckets

@Suite struct XMLFieldsTests {
  private func fields(_ text: String) throws -> XMLFields { try XMLFields(Array(text.utf8)) }

  @Test(arguments: ["", " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"", " a='>' b = \"<\" "])
  func `an error is read whatever its attributes`(attributes: String) throws {
    let fields = try fields(
      """
      <?xml version="1.0" encoding="UTF-8"?>
      <!-- <Code>Wrong</Code> -->
      <Error\(attributes)>
        <Code>NoSuchKey</Code><Message>no "a" &amp; &lt;b&gt;</Message >
        <Resource/><RequestId>4442587FB7D0A2F9</RequestId>
      </Error>

      """)
    #expect(fields.root == "Error")
    #expect(fields["Code"] == "NoSuchKey")
    #expect(fields["Message"] == "no \"a\" & <b>")
    #expect(fields["Resource"] == "")
    #expect(fields["RequestId"] == "4442587FB7D0A2F9")
    #expect(fields["Region"] == nil)
    #expect(fields["Error"] == nil)
  }

  @Test func `prefixes of namespaces do not count`() throws {
    let fields = try fields("<s3:Error xmlns:s3='x'><s3:Code>A</s3:Code></s3:Error>")
    #expect(fields.root == "Error")
    #expect(fields["Code"] == "A")
  }

  @Test func `the first text of a name counts at any depth`() throws {
    let fields = try fields("<A><B><C>1</C></B><C>2</C>tail</A>")
    #expect(fields["C"] == "1")
    #expect(fields["B"] == nil)
  }

  @Test func `entities and sections become what they stand for`() throws {
    let fields = try fields(
      "<ETag>&quot;&#x41;&#66;&#233;\u{1F600}<![CDATA[<&amp;]]><!-- x -->&apos;&quot;</ETag>")
    #expect(fields["ETag"] == "\"ABé\u{1F600}<&amp;'\"")
  }

  @Test func `a mark of byte order is skipped`() throws {
    #expect(try fields("\u{FEFF}<A>x</A>")["A"] == "x")
  }

  @Test(arguments: [
    "", " ", "text", "<", "<A", "<A>", "<A></B>", "</A>", "<A/><B/>", "<A/>x", "x<A/>", "<A b></A>",
    "<A b=c></A>", "<A b='></A>", "<A></A", "<></>", "<A>&nbsp;</A>", "<A>&amp</A>", "<A>&#0;</A>",
    "<A>&#xD800;</A>", "<A>&#x110000;</A>", "<A>&#99999999999;</A>", "<A>&;</A>", "<A><!-- </A>",
    "<A><![CDATA[ </A>", "<?xml <A/>", "{\"A\": 1}", "<A/ >", "<![CDATA[x]]><A/>",
    "<!DOCTYPE A [<!ENTITY b 'c'>]><A>&b;</A>", "<!DOCTYPE A SYSTEM 'file:///etc/passwd'><A/>",
    "<A><!ENTITY b 'c'></A>", "<html><br></html>",
  ])
  func `what is no such document is refused`(text: String) {
    #expect(throws: XMLError.self) { try fields(text) }
  }

  @Test func `depth and size have limits`() throws {
    let deepest = XMLReader.depthLimit
    func nested(_ depth: Int) -> String {
      String(repeating: "<a>", count: depth) + "x" + String(repeating: "</a>", count: depth)
    }
    #expect(try fields(nested(deepest))["a"] == "x")
    #expect(throws: XMLError.self) { try fields(nested(deepest + 1)) }
    #expect(throws: XMLError.self) { try fields(String(repeating: "<a>", count: 100_000)) }

    func padded(_ size: Int) -> String { "<a>" + String(repeating: "x", count: size - 7) + "</a>" }
    #expect(try fields(padded(XMLReader.sizeLimit))["a"]?.utf8.count == XMLReader.sizeLimit - 7)
    #expect(throws: XMLError.self) { try fields(padded(XMLReader.sizeLimit + 1)) }
    #expect(throws: XMLError.self) { try XMLFields([0x3c, 0x61, 0xff, 0x2f, 0x3e]) }
  }

  @Test func `an error does not repeat the document`() {
    let error = #expect(throws: XMLError.self) { try fields("<A>TOPSECRET</TOPSECRET>") }
    #expect(error.map { "\($0)".contains("TOPSECRET") } == false)
  }

  @Test(arguments: 0..<200) func `a damaged document is read or refused`(seed: Int) {
    var generator = SeededGenerator(seed: seed)
    var bytes = Array(
      "<?xml version='1.0'?><E a='b'><C>x&amp;&#65;</C><!-- c --><D/><F><![CDATA[y]]></F></E>".utf8)
    let marks = Array("<>/&;!'x ".utf8)
    for _ in 0..<Int.random(in: 1...4, using: &generator) {
      let place = Int.random(in: bytes.indices, using: &generator)
      switch Int.random(in: 0..<3, using: &generator) {
      case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
      case 1: bytes.remove(at: place)
      default: bytes.insert(marks[Int.random(in: marks.indices, using: &generator)], at: place)
      }
    }
    // Either outcome will do: what counts is that there is one.
    _ = try? XMLFields(bytes)
  }
}
