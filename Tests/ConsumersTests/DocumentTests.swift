import Foundation
import Settings
import Testing

/// What documents show of consumers is what is built and tested.
@Suite struct DocumentTests {
  private static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private func text(_ path: String) throws -> String {
    try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
  }

  @Test func `the README's consumer is the one of the example`() throws {
    let folder = "Examples/CustomConsumer/Sources/ConsumeNuclei/"
    let readme = try text("README.md")
    #expect(readme.contains("```swift\n\(try text(folder + "NucleiConsumer.swift"))```\n"))
    let registration = try text(folder + "main.swift").split(separator: "\n").last
    #expect(readme.contains("```swift\n\(try #require(registration))\n```\n"))
  }

  /// Each Swift block follows a comment that says which file it is, or of which it is a part.
  @Test func `the guide's code is that of the example and of tests`() throws {
    let guide = try text("docs/custom-consumer.md")
    let blocks = guide.matches(of: #/(?:<!-- (file|code): (\S+) -->\n)?```swift\n((?s:.*?))```/#)
    #expect(blocks.count > 5)
    for block in blocks {
      let (_, kind, path, code) = block.output
      let name = try #require(path.map(String.init), "no file is named before:\n\(code)")
      if kind == "file" {
        #expect(try text("Examples/CustomConsumer/" + name) == code)
      } else {
        #expect(try unindented(text(name)).contains(unindented(String(code))), "\(code)")
      }
    }
  }

  @Test func `the guide's manifest has settings that there are`() throws {
    let guide = try text("docs/custom-consumer.md")
    let manifest = try #require(guide.firstMatch(of: #/```yaml\n((?s:.*?))```/#)).output.1
    let names = manifest.matches(of: #/name: ([A-Z][A-Z_]+)/#).map { String($0.output.1) }
    #expect(names.contains("HOSTNAME") && names.contains("SHUTDOWN_TIMEOUT"))
    #expect(Set(names).subtracting(SettingsTable.all.map(\.name)) == [])
    // Long enough for running jobs to end and for what is left to be put back.
    let grace = try number(#/terminationGracePeriodSeconds: (\d+)/#, in: manifest)
    let shutdown = try number(#/SHUTDOWN_TIMEOUT, value: "(\d+)"/#, in: manifest)
    #expect(grace >= shutdown + 15)
  }

  @Test func `each test that the page on reliability names exists`() throws {
    let page = try text("docs/reliability.md")
    let rows = page.matches(of: #/\| (`[^|]+`) \|\n/#)
    #expect(rows.count > 20)
    let tests = Self.root.appending(path: "Tests")
    let sources = try FileManager.default.subpathsOfDirectory(atPath: tests.path)
      .filter { $0.hasSuffix(".swift") }
      .map { try String(contentsOf: tests.appending(path: $0), encoding: .utf8) }
    for name in rows.flatMap({ $0.output.1.matches(of: #/`([^`]+)`/#) }).map(\.output.1) {
      #expect(sources.contains { $0.contains("func `\(name)`(") }, "\(name)")
    }
  }

  private func number(
    _ pattern: Regex<(Substring, Substring)>, in text: Substring
  ) throws -> Int {
    try #require(text.firstMatch(of: pattern).flatMap { Int($0.output.1) })
  }

  private func unindented(_ text: String) -> String {
    text.split(separator: "\n").map { $0.trimmingPrefix(while: \.isWhitespace) }
      .joined(separator: "\n")
  }
}
