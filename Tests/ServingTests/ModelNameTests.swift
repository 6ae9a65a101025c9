import Serving
import Testing

@Suite struct ModelNameTests {
  @Test func `a name and a version are read and written`() throws {
    let model = try ModelName("NuclearSegmentation:6")
    #expect(model == ModelName(name: "NuclearSegmentation", version: 6))
    #expect(model.description == "NuclearSegmentation:6")
    #expect(try ModelName("PhaseCytoSegmentation:0").version == 0)
  }

  @Test(arguments: [
    ("NuclearSegmentation", "the version is missing"), (":6", "the name is empty"),
    ("a:", "not a whole number"), ("a:+6", "not a whole number"), ("a:-1", "not a whole number"),
    ("a:6.0", "not a whole number"), ("a:99999999999999999999", "not a whole number"),
    ("a b:6", "a space or colon"), ("a:b:6", "a space or colon"), ("", "the version is missing"),
  ])
  func `anything else is refused with the reason`(text: String, reason: String) {
    #expect {
      try ModelName(text)
    } throws: { error in
      "\(error)".contains("\"\(text)\"") && "\(error)".contains(reason)
    }
  }
}
