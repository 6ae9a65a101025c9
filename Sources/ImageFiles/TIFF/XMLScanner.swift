/// Walks through the tags of an XML text without building a tree.
///
/// Enough for the metadata of microscopy files: no entities but the predefined ones, so nothing in
/// the text can make it grow; namespaces are dropped.
struct XMLScanner {
  enum Event: Equatable {
    case open(String, [String: String])
    case close(String)
    case text(String)
  }

  private let bytes: [UInt8]
  private var position = 0
  /// The tag that `<a/>` closes with the next event.
  private var pendingClose: String?

  init(_ text: String) { bytes = Array(text.utf8) }

  /// The next event, or nil at the end or where the text is no XML any more.
  mutating func next() -> Event? {
    if let name = pendingClose {
      pendingClose = nil
      return .close(name)
    }
    while position < bytes.count {
      guard bytes[position] == UInt8(ascii: "<") else { return text() }
      if skip("<!--", through: "-->") || skip("<![CDATA[", through: "]]>")
        || skip("<?", through: "?>") || skip("<!", through: ">")
      {
        continue
      }
      position += 1
      return starts(with: "/") ? closingTag() : openingTag()
    }
    return nil
  }

  private func starts(with text: StaticString) -> Bool {
    text.withUTF8Buffer { bytes[position...].starts(with: $0) }
  }

  private mutating func skip(_ start: StaticString, through end: StaticString) -> Bool {
    guard starts(with: start) else { return false }
    position += start.utf8CodeUnitCount
    while position < bytes.count {
      if starts(with: end) {
        position += end.utf8CodeUnitCount
        break
      }
      position += 1
    }
    return true
  }

  private mutating func text() -> Event {
    let start = position
    while position < bytes.count, bytes[position] != UInt8(ascii: "<") { position += 1 }
    return .text(Self.unescaped(bytes[start..<position]))
  }

  private mutating func closingTag() -> Event? {
    position += 1
    let name = name()
    skipSpace()
    guard takeByte(">") else { return nil }
    return .close(name)
  }

  private mutating func openingTag() -> Event? {
    let name = name()
    guard !name.isEmpty else { return nil }
    var attributes: [String: String] = [:]
    while true {
      skipSpace()
      if takeByte(">") { return .open(name, attributes) }
      if takeByte("/") {
        guard takeByte(">") else { return nil }
        pendingClose = name
        return .open(name, attributes)
      }
      let key = self.name()
      skipSpace()
      guard !key.isEmpty, takeByte("=") else { return nil }
      skipSpace()
      guard let quote = takeQuote() else { return nil }
      let start = position
      while position < bytes.count, bytes[position] != quote { position += 1 }
      guard position < bytes.count else { return nil }
      attributes[key] = Self.unescaped(bytes[start..<position])
      position += 1
    }
  }

  /// A name without its namespace prefix.
  private mutating func name() -> String {
    let start = position
    while position < bytes.count, !" \t\r\n/>=<\"'".utf8.contains(bytes[position]) { position += 1 }
    let name = bytes[start..<position]
    let local = name.lastIndex(of: UInt8(ascii: ":")).map { name[($0 + 1)...] } ?? name
    return String(decoding: local, as: UTF8.self)
  }

  private mutating func skipSpace() {
    while position < bytes.count, " \t\r\n".utf8.contains(bytes[position]) { position += 1 }
  }

  private mutating func takeByte(_ byte: Unicode.Scalar) -> Bool {
    guard position < bytes.count, bytes[position] == UInt8(ascii: byte) else { return false }
    position += 1
    return true
  }

  private mutating func takeQuote() -> UInt8? {
    guard position < bytes.count, "\"'".utf8.contains(bytes[position]) else { return nil }
    position += 1
    return bytes[position - 1]
  }

  private static let entities: [(text: [UInt8], character: UInt8)] = [
    ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"), ("&quot;", "\""), ("&apos;", "'"),
  ].map { (Array($0.0.utf8), UInt8(ascii: $0.1 as Unicode.Scalar)) }

  private static func unescaped(_ bytes: ArraySlice<UInt8>) -> String {
    let mark = UInt8(ascii: "&")
    guard bytes.contains(mark) else { return String(decoding: bytes, as: UTF8.self) }
    var result: [UInt8] = []
    var position = bytes.startIndex
    while position < bytes.endIndex {
      if bytes[position] == mark,
        let entity = entities.first(where: { bytes[position...].starts(with: $0.text) })
      {
        result.append(entity.character)
        position += entity.text.count
      } else {
        result.append(bytes[position])
        position += 1
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
