import Foundation
import Settings
import Testing

@Suite struct ReadmeTests {
  /// Set `UPDATE_README=1` to have the table written.
  @Test func `the README's table of settings is the one in force`() throws {
    let file = URL(filePath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "README.md")
    let text = try String(contentsOf: file, encoding: .utf8)
    let begin = try #require(
      text.range(of: "<!-- settings: written by the test of the table -->\n"))
    let end = try #require(text.range(of: "<!-- end of settings -->"))
    let table = SettingsTable.markdownTable + "\n"
    if ProcessInfo.processInfo.environment["UPDATE_README"] == "1" {
      let updated = text.replacingCharacters(in: begin.upperBound..<end.lowerBound, with: table)
      try updated.write(to: file, atomically: true, encoding: .utf8)
      return
    }
    #expect(
      String(text[begin.upperBound..<end.lowerBound]) == table,
      "run: UPDATE_README=1 swift test --filter ReadmeTests")
  }
}
