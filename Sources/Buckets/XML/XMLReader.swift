/// A document that is not the XML that stores send. The texts in it may be secret and are not kept.
struct XMLError: Error, Hashable, CustomStringConvertible {
  let reason: String
  /// Where in the document, in bytes.
  let offset: Int

  var description: String { "\(reason) at byte \(offset)" }
}

/// Reads the XML of stores' answers: elements and text. Namespaces' prefixes are dropped and
/// attributes skipped. There is no document type, and with it no entity but the five that XML has.
struct XMLReader {
  enum Event: Hashable {
    /// The beginning of an element, by its local name.
    case start(String)
    case text(String)
    /// The end of the element that began last.
    case end
  }

  static let sizeLimit = 1 << 20
  static let depthLimit = 32

  private let bytes: [UInt8]
  private var position = 0
  /// The elements around the position, names as they were written.
  private var open: [ArraySlice<UInt8>] = []
  private var hasRoot = false
  /// Whether the element that began last ends there.
  private var isEmptyElement = false

  /// - Throws: when the document is too large or not UTF-8.
  init(_ bytes: [UInt8]) throws(XMLError) {
    guard bytes.count <= Self.sizeLimit else {
      throw XMLError(reason: "more than \(Self.sizeLimit) bytes of XML", offset: 0)
    }
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw XMLError(reason: "XML that is not UTF-8", offset: 0)
    }
    self.bytes = bytes
    _ = skip("\u{FEFF}")
  }

  /// The next event; nil after the end of the document.
  mutating func next() throws(XMLError) -> Event? {
    if isEmptyElement {
      isEmptyElement = false
      return end()
    }
    while position < bytes.count {
      guard bytes[position] == UInt8(ascii: "<") else {
        if let text = try text() { return text }
        continue
      }
      if skip("<!--") {
        _ = try upTo("-->", "a comment")
      } else if skip("<?") {
        _ = try upTo("?>", "an instruction")
      } else if skip("<![CDATA[") {
        guard !open.isEmpty else { throw error("text outside of all elements") }
        return .text(String(decoding: try upTo("]]>", "a CDATA section"), as: UTF8.self))
      } else if skip("</") {
        return try endTag()
      } else if skip("<!") {
        throw error("a document type, which is not read,")
      } else {
        return try startTag()
      }
    }
    guard open.isEmpty else { throw error("an element without an end") }
    guard hasRoot else { throw error("no element") }
    return nil
  }

  // MARK: Parts

  private mutating func startTag() throws(XMLError) -> Event {
    position += 1
    let name = try name()
    guard !hasRoot || !open.isEmpty else { throw error("a second root") }
    guard open.count < Self.depthLimit else {
      throw error("elements nested deeper than \(Self.depthLimit)")
    }
    try skipAttributes()
    isEmptyElement = skip("/")
    guard skip(">") else { throw error("a tag without an end") }
    hasRoot = true
    open.append(name)
    let local = name.lastIndex(of: UInt8(ascii: ":")).map { name[($0 + 1)...] } ?? name
    return .start(String(decoding: local, as: UTF8.self))
  }

  private mutating func endTag() throws(XMLError) -> Event {
    let name = try name()
    skipSpace()
    guard skip(">"), open.last == name else { throw error("an end tag that fits none") }
    return end()
  }

  private mutating func end() -> Event {
    open.removeLast()
    return .end
  }

  private mutating func skipAttributes() throws(XMLError) {
    skipSpace()
    while position < bytes.count, !isOne(of: "/>") {
      _ = try name()
      skipSpace()
      guard skip("=") else { throw error("an attribute without a value") }
      skipSpace()
      let quote = isOne(of: "\"'") ? bytes[position] : 0
      guard quote != 0 else { throw error("an attribute without quotes") }
      position += 1
      guard let end = bytes[position...].firstIndex(of: quote) else {
        throw error("an attribute without an end")
      }
      position = end + 1
      skipSpace()
    }
  }

  private mutating func name() throws(XMLError) -> ArraySlice<UInt8> {
    let start = position
    while position < bytes.count, !isSpace, !isOne(of: "/>=<&\"'!?") { position += 1 }
    guard position > start else { throw error("a name is missing") }
    return bytes[start..<position]
  }

  /// Text up to the next tag; nil for blanks outside of all elements.
  private mutating func text() throws(XMLError) -> Event? {
    let start = position
    var decoded: [UInt8] = []
    while position < bytes.count, bytes[position] != UInt8(ascii: "<") {
      if skip("&") {
        decoded += try entity()
      } else {
        decoded.append(bytes[position])
        position += 1
      }
    }
    if !open.isEmpty { return .text(String(decoding: decoded, as: UTF8.self)) }
    guard bytes[start..<position].allSatisfy(Self.isSpace) else {
      throw error("text outside of all elements")
    }
    return nil
  }

  private mutating func entity() throws(XMLError) -> [UInt8] {
    let limit = min(bytes.count, position + 12)
    guard let end = bytes[position..<limit].firstIndex(of: UInt8(ascii: ";")) else {
      throw error("an entity without an end")
    }
    let name = String(decoding: bytes[position..<end], as: UTF8.self)
    position = end + 1
    switch name {
    case "amp": return [UInt8(ascii: "&")]
    case "lt": return [UInt8(ascii: "<")]
    case "gt": return [UInt8(ascii: ">")]
    case "quot": return [UInt8(ascii: "\"")]
    case "apos": return [UInt8(ascii: "'")]
    default: break
    }
    let code: UInt32? =
      name.hasPrefix("#x")
      ? UInt32(name.dropFirst(2), radix: 16)
      : name.hasPrefix("#") ? UInt32(name.dropFirst(), radix: 10) : nil
    guard let code, code != 0, let scalar = Unicode.Scalar(code) else {
      throw error("an unknown entity")
    }
    return Array(String(Character(scalar)).utf8)
  }

  private mutating func upTo(
    _ mark: StaticString, _ what: String
  ) throws(XMLError) -> ArraySlice<UInt8> {
    let start = position
    while position < bytes.count {
      if skip(mark) { return bytes[start..<position - mark.utf8CodeUnitCount] }
      position += 1
    }
    throw error("\(what) without an end")
  }

  // MARK: Bytes

  /// Goes past `mark` if it stands here.
  private mutating func skip(_ mark: StaticString) -> Bool {
    mark.withUTF8Buffer { mark in
      guard bytes[position...].starts(with: mark) else { return false }
      position += mark.count
      return true
    }
  }

  private mutating func skipSpace() {
    while position < bytes.count, isSpace { position += 1 }
  }

  private var isSpace: Bool { Self.isSpace(bytes[position]) }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0a).contains(byte) || byte == 0x0d
  }

  private func isOne(of marks: StaticString) -> Bool {
    position < bytes.count && marks.withUTF8Buffer { $0.contains(bytes[position]) }
  }

  private func error(_ reason: String) -> XMLError { XMLError(reason: reason, offset: position) }
}
