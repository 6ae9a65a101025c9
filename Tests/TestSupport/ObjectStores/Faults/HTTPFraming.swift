import NIOCore

/// Finds heads in a stream of bytes.
struct HeadCollector {
  private var collected = ByteBuffer()

  /// Takes bytes up to the end of a head.
  ///
  /// - Returns: the head with its empty line, or nil if more has to come.
  mutating func take(from bytes: inout ByteBuffer) -> ByteBuffer? {
    let before = collected.readableBytes
    collected.writeImmutableBuffer(bytes)
    let view = collected.readableBytesView
    let end = Array("\r\n\r\n".utf8)
    // The end may have begun before.
    var start = view.startIndex + max(0, before - 3)
    while start + 4 <= view.endIndex {
      if view[start] == 13, view[start..<(start + 4)].elementsEqual(end) {
        let length = start + 4 - view.startIndex
        bytes.moveReaderIndex(forwardBy: length - before)
        defer { collected.clear() }
        return collected.readSlice(length: length)
      }
      start += 1
    }
    bytes.moveReaderIndex(to: bytes.writerIndex)
    return nil
  }
}

/// The parts of a request's head that a proxy has to know.
struct RequestHead {
  let method: String
  let target: String
  /// Names are in lower case.
  let fields: [String: String]

  init?(_ bytes: ByteBuffer) {
    let lines = String(buffer: bytes).split(separator: "\r\n")
    guard let words = lines.first?.split(separator: " "), words.count == 3 else { return nil }
    (method, target) = (String(words[0]), String(words[1]))
    let pairs = lines.dropFirst().compactMap { line -> (String, String)? in
      guard let colon = line.firstIndex(of: ":") else { return nil }
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      return (line[..<colon].lowercased(), String(value))
    }
    fields = Dictionary(pairs) { $0 + "," + $1 }
  }

  /// Of the body. One in chunks has no end here: it goes on until the connection ends.
  var length: Int {
    if fields["transfer-encoding"] != nil { return .max }
    return fields["content-length"].flatMap { Int($0) } ?? 0
  }

  var expectsContinue: Bool { fields["expect"]?.lowercased() == "100-continue" }
}
