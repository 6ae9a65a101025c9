/// Reads a response's lines up to its body.
struct HeadReader {
  private static let sizeLimit = 65536

  private(set) var finished: HTTPHead?
  private var status: Int?
  private var fields: [HTTPField] = []
  private var size = 0

  enum Progress { case goesOn, complete, tooLarge }

  /// Takes one line with its end. Interim responses, as 100 Continue, are passed over, and so are
  /// the fields that may follow a body.
  mutating func read(_ line: UnsafeRawBufferPointer) -> Progress {
    size += line.count
    if size > Self.sizeLimit { return .tooLarge }
    if finished != nil { return .goesOn }
    let text = String(decoding: line, as: UTF8.self)
    if text.hasPrefix("HTTP/") {
      status = text.split(separator: " ").dropFirst().first.flatMap { Int($0.prefix(3)) }
      fields = []
    } else if let colon = text.firstIndex(of: ":") {
      fields.append(
        HTTPField(String(text[..<colon]), Self.trimmed(text[text.index(after: colon)...])))
    } else if let status, status >= 200, text.allSatisfy(\.isNewline) {
      finished = HTTPHead(status: status, fields: fields)
      return .complete
    }
    return .goesOn
  }

  private static func trimmed(_ text: Substring) -> String {
    let end = text.lastIndex { !$0.isWhitespace }.map { text.index(after: $0) } ?? text.startIndex
    return String(text[..<end].drop(while: \.isWhitespace))
  }
}
