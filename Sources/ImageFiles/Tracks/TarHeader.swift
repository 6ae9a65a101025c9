/// The block before each member of a tar archive.
struct TarHeader {
  enum Kind {
    case file, folder
    /// What follows describes the next member: pax records, or its name.
    case extended, longName
    case ignored
    /// Links, devices, and what only some programs know.
    case other
  }

  static let blockSize = 512

  let name: String
  let size: Int
  let kind: Kind

  init(name: String, size: Int) {
    (self.name, self.size, kind) = (name, size, .file)
  }

  /// - Returns: nil if the block is no header.
  init?(_ block: [UInt8]) {
    guard block.count == Self.blockSize, Self.isIntact(block),
      let size = Self.number(block[124..<136])
    else { return nil }
    let name = Self.text(block[0..<100])
    // In GNU's own form, `ustar` and two blanks, something else is where the prefix is.
    let hasPrefix = block[257..<263].elementsEqual("ustar\0".utf8) && block[345] != 0
    self.name = hasPrefix ? Self.text(block[345..<500]) + "/" + name : name
    kind =
      switch block[156] {
      case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): name.hasSuffix("/") ? .folder : .file
      case UInt8(ascii: "5"): .folder
      case UInt8(ascii: "x"): .extended
      case UInt8(ascii: "L"): .longName
      case UInt8(ascii: "g"), UInt8(ascii: "K"): .ignored
      default: .other
      }
    // Some programs tell the room that was kept for a folder; it has no content.
    self.size = kind == .folder ? 0 : size
  }

  /// The block of a file, mode 0644, of nobody in particular.
  var encoded: [UInt8] {
    precondition(name.utf8.count < 100)
    var block = [UInt8](repeating: 0, count: Self.blockSize)
    func write(_ text: String, at offset: Int) {
      block.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
    }
    write(name, at: 0)
    write("0000644\0", at: 100)
    write("0000000\0", at: 108)
    write("0000000\0", at: 116)
    if size < 1 << 33 {
      let digits = String(size, radix: 8)
      write(String(repeating: "0", count: 11 - digits.count) + digits + "\0", at: 124)
    } else {
      // More than eleven octal digits: the number itself, as GNU tar and Python have it.
      block[124] = 0x80
      for i in 0..<8 { block[135 - i] = UInt8(truncatingIfNeeded: size >> (8 * i)) }
    }
    write("00000000000\0", at: 136)
    write("        0", at: 148)
    write("ustar\0", at: 257)
    write("00", at: 263)
    let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
    write(String(repeating: "0", count: 6 - sum.count) + sum + "\0 ", at: 148)
    return block
  }

  private static func isIntact(_ block: [UInt8]) -> Bool {
    guard let expected = number(block[148..<156]) else { return false }
    // Old programs added up signed bytes.
    var (unsigned, signed) = (0, 0)
    for (index, byte) in block.enumerated() {
      let byte = (148..<156).contains(index) ? UInt8(ascii: " ") : byte
      unsigned += Int(byte)
      signed += Int(Int8(bitPattern: byte))
    }
    return expected == unsigned || expected == signed
  }

  private static func text(_ field: ArraySlice<UInt8>) -> String {
    String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// Octal digits, or a binary number behind the bit that says so; nil for none, negative and huge ones.
  private static func number(_ field: ArraySlice<UInt8>) -> Int? {
    if field.first == 0x80 {
      return field.dropFirst().reduce(0 as Int?) { number, byte in
        number.flatMap { $0 >> 54 == 0 ? $0 << 8 | Int(byte) : nil }
      }
    }
    let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
    return digits.isEmpty
      ? 0 : Int(String(decoding: digits, as: UTF8.self), radix: 8).flatMap { $0 < 0 ? nil : $0 }
  }
}

/// The records of a pax header: `<length> <key>=<value>` and a line feed each.
struct PaxRecords {
  private var values: [String: String] = [:]
  subscript(key: String) -> String? { values[key] }

  /// What cannot be understood ends the reading.
  init(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while let blank = rest.firstIndex(of: 0x20),
      let length = Int(String(decoding: rest[..<blank], as: UTF8.self)),
      length > blank - rest.startIndex + 1, length <= rest.count
    {
      let record = rest[(blank + 1)..<rest.startIndex + length].dropLast()
      rest = rest.dropFirst(length)
      guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else { continue }
      values[String(decoding: record[..<equals], as: UTF8.self)] =
        String(decoding: record[(equals + 1)...], as: UTF8.self)
    }
  }
}
