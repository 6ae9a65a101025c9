import Testing

@testable import Buckets

@Suite struct INIFileTests {
  private func file(_ text: String) throws -> INIFile { try INIFile(text, path: "config") }

  private func values(_ text: String, _ section: String = "a") throws -> [String: String] {
    try file(text).sections[section]?.mapValues(\.revealed) ?? [:]
  }

  @Test func `values are read by section and name`() throws {
    let text = """
      # a comment
      ; another

      [a]
      Key=1
      other  =  two words
      empty =
      equals = a=b==
      [ profile   b ] # comment
      key = 2\t
      """
    #expect(
      try values(text)
        == ["key": "1", "other": "two words", "empty": "", "equals": "a=b=="])
    #expect(try values(text, "profile b") == ["key": "2"])
  }

  @Test func `a comment in a line begins after a blank`() throws {
    let text = "[a]\nb = x #y\nc = x#y\nd = x ; y\ne = x;y\nf = # y\n"
    #expect(try values(text) == ["b": "x", "c": "x#y", "d": "x", "e": "x;y", "f": ""])
  }

  @Test func `deeper lines belong to the value above`() throws {
    let text = """
      [a]
        b = 1
        s3 =
          endpoint_url = http://x:1
          addressing_style = path
        c = 2
        long =
          rest of it
      """
    #expect(
      try values(text) == [
        "b": "1", "c": "2", "s3": "", "s3.endpoint_url": "http://x:1",
        "s3.addressing_style": "path", "long": "",
      ])
  }

  @Test func `sections of one name are one, and the last value counts`() throws {
    #expect(try values("[a]\nb=1\nc=1\n[x]\n[a]\nc=2\nc=3\n") == ["b": "1", "c": "3"])
    #expect(try file("[a]\n").sections["a"]?.isEmpty == true)
  }

  @Test func `line ends of Windows and a mark of byte order do no harm`() throws {
    #expect(try values("\u{FEFF}[a]\r\nb = 1\r\n\r\nc = 2\r\n") == ["b": "1", "c": "2"])
  }

  @Test func `names in quotes are read without them`() throws {
    #expect(try values("[profile \"b c\"]\nd=1", "profile b c") == ["d": "1"])
  }

  @Test(arguments: [
    ("b = TOPSECRET", 1), ("[a]\nTOPSECRET", 2), ("[a]\n= TOPSECRET", 2), ("\n\n[TOPSECRET", 3),
    ("[]", 1), ("[ ]", 1), ("[a] TOPSECRET", 1),
  ])
  func `a line that cannot be read is named but not shown`(text: String, line: Int) {
    let error = #expect(throws: BucketError.self) { try file(text) }
    #expect(error?.reason.hasPrefix("config, line \(line): ") == true)
    #expect(error?.reason.contains("TOPSECRET") == false)
  }
}
