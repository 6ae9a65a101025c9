/// Text under construction, handed on in blocks.
struct TextWriter {
  private var bytes: [UInt8] = []
  private let write: ([UInt8]) throws -> Void

  private static let blockSize = 1 << 16

  init(_ write: @escaping ([UInt8]) throws -> Void) {
    self.write = write
    bytes.reserveCapacity(Self.blockSize + 4096)
  }

  mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  mutating func append(_ byte: UInt8) { bytes.append(byte) }

  mutating func append(_ number: Int) {
    if number < 0 { bytes.append(UInt8(ascii: "-")) }
    let start = bytes.count
    var rest = number.magnitude
    repeat {
      bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
      rest /= 10
    } while rest > 0
    bytes[start...].reverse()
  }

  /// A field of a CSV file, quoted where RFC 4180 asks for it.
  mutating func append(csvField text: String) {
    guard text.utf8.contains(where: { ",\"\r\n".utf8.contains($0) }) else { return append(text) }
    append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      if byte == UInt8(ascii: "\"") { append(byte) }
      append(byte)
    }
    append(UInt8(ascii: "\""))
  }

  /// A string of a JSON file, with its quotes.
  mutating func append(jsonString text: String) {
    append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        append(UInt8(ascii: "\\"))
        append(byte)
      case 0..<0x20:
        append(byte < 0x10 ? "\\u000" : "\\u00")
        append(String(byte, radix: 16))
      default: append(byte)
      }
    }
    append(UInt8(ascii: "\""))
  }

  /// Hands on what there is, if that is much.
  mutating func handOnBlocks() throws {
    if bytes.count >= Self.blockSize { try handOnAll() }
  }

  mutating func handOnAll() throws {
    try write(bytes)
    bytes.removeAll(keepingCapacity: true)
  }
}
