import struct FoundationEssentials.Data

/// Bytes as text in base64, with padding and the alphabet of RFC 4648, section 4.
enum Base64 {
  static func encode(_ bytes: some Sequence<UInt8>) -> String {
    Data(bytes).base64EncodedString()
  }

  /// Nil for anything that ``encode(_:)`` does not write: blanks, missing padding, stray bits.
  static func decode(_ text: String) -> [UInt8]? {
    guard let data = Data(base64Encoded: text), data.base64EncodedString() == text else {
      return nil
    }
    return [UInt8](data)
  }
}

/// Bytes as two lower-case digits each.
enum Hexadecimal {
  static func encode(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
    return String(decoding: text, as: UTF8.self)
  }
}
