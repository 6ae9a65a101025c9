/// A file of settings in sections, as AWS's tools write them.
///
/// ```
/// [profile work]
/// region = eu-west-1     # a comment
/// s3 =
///   endpoint_url = http://127.0.0.1:9000
/// ```
/// The indented line is the value `s3.endpoint_url`. Later values replace earlier ones.
struct INIFile: Sendable {
  typealias Section = [String: Secret]

  static let sizeLimit = 1 << 20

  /// By name; the words of a name have one blank between them.
  private(set) var sections: [String: Section] = [:]

  init() {}

  /// - Parameter path: for errors, which have nothing of the text in them.
  /// - Throws: ``BucketError`` `credentials` that tells the first line that is none of a section, a
  ///   value or a comment.
  init(_ text: String, path: String) throws(BucketError) {
    var section: String?
    // The value that deeper lines belong to.
    var parent: (key: String, indentation: Int)?
    let text = text.first == "\u{FEFF}" ? text.dropFirst() : text[...]
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated()
    {
      func problem(_ reason: String) -> BucketError {
        BucketError(.credentials, "\(path), line \(index + 1): \(reason)")
      }
      let content = Self.trimmed(line)
      guard let first = content.first, first != "#", first != ";" else { continue }
      if first == "[" {
        guard let name = Self.sectionName(content) else {
          throw problem("a section without a name")
        }
        section = name
        parent = nil
        sections[name, default: [:]].merge([:]) { old, _ in old }
        continue
      }
      guard let section else { throw problem("a value before the first section") }
      let indentation = line.prefix(while: \.isWhitespace).count
      let outer = parent.flatMap { indentation > $0.indentation ? $0.key : nil }
      guard let equals = content.firstIndex(of: "=") else {
        // The rest of a value of several lines, none of which is ours.
        if outer != nil { continue }
        throw problem("neither a section nor a value")
      }
      let name = Self.trimmed(content[..<equals]).lowercased()
      guard !name.isEmpty else { throw problem("a value without a name") }
      let value = Secret(String(Self.withoutComment(content[content.index(after: equals)...])))
      if let outer {
        sections[section]?["\(outer).\(name)"] = value
      } else {
        parent = (name, indentation)
        sections[section]?[name] = value
      }
    }
  }

  /// `profile "a b"` of `[ profile  "a b" ] # comment`.
  private static func sectionName(_ line: Substring) -> String? {
    guard let end = line.firstIndex(of: "]") else { return nil }
    let rest = trimmed(line[line.index(after: end)...])
    guard rest.isEmpty || rest.first == "#" || rest.first == ";" else { return nil }
    let words = line[line.index(after: line.startIndex)..<end]
      .split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return words.isEmpty ? nil : words.filter { $0 != "\"" && $0 != "'" }
  }

  private static func withoutComment(_ text: Substring) -> Substring {
    var isAfterBlank = true
    for index in text.indices {
      if isAfterBlank, text[index] == "#" || text[index] == ";" { return trimmed(text[..<index]) }
      isAfterBlank = text[index].isWhitespace
    }
    return trimmed(text)
  }

  private static func trimmed(_ text: Substring) -> Substring {
    let text = text.drop(while: \.isWhitespace)
    guard let last = text.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return text[...last]
  }
}
