/// Writes one directory of a little-endian TIFF file, with the values that do not fit into its entries
/// right behind it.
struct TIFFDirectoryEncoder {
  /// Whether positions have 8 bytes.
  let isBig: Bool

  enum Value {
    case short(Int)
    case shorts([Int])
    case long(Int)
    /// As wide as the file's positions.
    case position(Int)
    case text(String)
    /// A whole number as a fraction.
    case fraction(Int)
  }

  typealias Entry = (tag: Int, value: Value)

  var headerBytes: Int { isBig ? 16 : 8 }
  private var positionBytes: Int { isBig ? 8 : 4 }

  /// The beginning of a file whose first directory follows at once.
  var header: [UInt8] {
    var header: [UInt8] = isBig ? [0x49, 0x49, 43, 0, 8, 0, 0, 0] : [0x49, 0x49, 42, 0]
    header.append(headerBytes, bytes: positionBytes)
    return header
  }

  /// - Parameters:
  ///   - entries: in any order.
  ///   - position: of the directory in the file.
  ///   - next: position of the next one; 0 for none.
  func encode(_ entries: [Entry], at position: Int, next: Int) -> [UInt8] {
    let countBytes = isBig ? 8 : 2
    let tableBytes = countBytes + entries.count * (4 + 2 * positionBytes) + positionBytes
    var bytes: [UInt8] = []
    var outside: [UInt8] = []
    bytes.append(entries.count, bytes: countBytes)
    for (tag, value) in entries.sorted(by: { $0.tag < $1.tag }) {
      let (type, count, content) = encoded(value)
      bytes.append(tag, bytes: 2)
      bytes.append(type, bytes: 2)
      bytes.append(count, bytes: positionBytes)
      if content.count <= positionBytes {
        bytes += content + Array(repeating: 0, count: positionBytes - content.count)
      } else {
        bytes.append(position + tableBytes + outside.count, bytes: positionBytes)
        outside += content
        if outside.count % 2 == 1 { outside.append(0) }
      }
    }
    bytes.append(next, bytes: positionBytes)
    return bytes + outside
  }

  private func encoded(_ value: Value) -> (type: Int, count: Int, [UInt8]) {
    var bytes: [UInt8] = []
    switch value {
    case .short(let number): return encoded(.shorts([number]))
    case .shorts(let numbers):
      for number in numbers { bytes.append(number, bytes: 2) }
      return (3, numbers.count, bytes)
    case .long(let number):
      bytes.append(number, bytes: 4)
      return (4, 1, bytes)
    case .position(let number):
      bytes.append(number, bytes: positionBytes)
      return (isBig ? 16 : 4, 1, bytes)
    case .text(let text):
      bytes = Array(text.utf8) + [0]
      return (2, bytes.count, bytes)
    case .fraction(let number):
      bytes.append(number, bytes: 4)
      bytes.append(1, bytes: 4)
      return (5, 1, bytes)
    }
  }
}

extension [UInt8] {
  /// Appends a number, lowest byte first.
  mutating func append(_ number: Int, bytes: Int) {
    for i in 0..<bytes { append(UInt8(truncatingIfNeeded: number >> (8 * i))) }
  }
}
