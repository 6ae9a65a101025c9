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
    // Not as text: a look for its characters would take longer than all else about a head.
    if line.starts(with: "HTTP/".utf8) {
      status = Self.status(of: line)
      fields = []
    } else if let colon = line.firstIndex(of: UInt8(ascii: ":")) {
      fields.append(HTTPField(Self.text(line[..<colon]), Self.text(line[(colon + 1)...])))
    } else if let status, status >= 200, line.allSatisfy(Self.isBlank) {
      finished = HTTPHead(status: status, fields: fields)
      return .complete
    }
    return .goesOn
  }

  private static func status(of line: UnsafeRawBufferPointer) -> Int? {
    let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
    return words.count > 1 ? Int(text(words[1].prefix(3))) : nil
  }

  /// Without blanks at its ends.
  private static func text(_ bytes: Slice<UnsafeRawBufferPointer>) -> String {
    let end = bytes.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? bytes.startIndex
    return String(decoding: bytes[..<end].drop(while: isBlank), as: UTF8.self)
  }

  /// Also the ends of lines.
  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || (0x09...0x0d).contains(byte)
  }
}
