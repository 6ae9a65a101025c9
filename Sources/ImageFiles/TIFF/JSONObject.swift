/// The members of one JSON object, as far as a TIFF description needs them: numbers, lists of
/// numbers and booleans are kept, everything else is checked and skipped.
struct JSONObject {
  enum Value: Equatable {
    case number(Double)
    case numbers([Double])
    case boolean(Bool)
    case other
  }

  private var members: [String: Value] = [:]
  subscript(key: String) -> Value? { members[key] }

  /// - Parameters:
  ///   - text: all of it is checked, in memory that does not depend on what is in it.
  ///   - keys: the members to keep.
  /// - Returns: nil when the text is not one JSON object.
  init?(_ text: String, keys: Set<String>) {
    var scanner = Scanner(bytes: Array(text.utf8), keys: keys)
    guard let members = scanner.object(depth: 0), scanner.isAtEnd else { return nil }
    self.members = members
  }

  private struct Scanner {
    let bytes: [UInt8]
    let keys: Set<String>
    var position = 0
    static let deepest = 32
    static let mostNumbers = 64

    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipSpace() {
      while let byte = next, byte == 0x20 || (0x09...0x0D).contains(byte) || byte == 0 {
        position += 1
      }
    }

    var isAtEnd: Bool {
      mutating get {
        skipSpace()
        return next == nil
      }
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      skipSpace()
      guard next == UInt8(ascii: character) else { return false }
      position += 1
      return true
    }

    mutating func object(depth: Int) -> [String: Value]? {
      guard depth < Self.deepest, take("{") else { return nil }
      var members: [String: Value] = [:]
      if take("}") { return members }
      repeat {
        guard let key = string(), take(":"), let value = value(depth: depth + 1) else { return nil }
        if depth == 0, keys.contains(key) { members[key] = value }
      } while take(",")
      return take("}") ? members : nil
    }

    mutating func value(depth: Int) -> Value? {
      skipSpace()
      switch next {
      case UInt8(ascii: "{"): return object(depth: depth).map { _ in .other }
      case UInt8(ascii: "["): return list(depth: depth)
      case UInt8(ascii: "\""): return string().map { _ in .other }
      default:
        switch word() {
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        case "null": return .other
        case let text: return Double(text).map { .number($0) }
        }
      }
    }

    mutating func list(depth: Int) -> Value? {
      guard depth < Self.deepest, take("[") else { return nil }
      var numbers: [Double] = []
      var hasOthers = false
      if take("]") { return .numbers([]) }
      repeat {
        guard let value = value(depth: depth + 1) else { return nil }
        if case .number(let number) = value, numbers.count < Self.mostNumbers {
          numbers.append(number)
        } else {
          hasOthers = true
        }
      } while take(",")
      return take("]") ? (hasOthers ? .other : .numbers(numbers)) : nil
    }

    mutating func word() -> String {
      let start = position
      while let byte = next, !",]}: \t\r\n".utf8.contains(byte) { position += 1 }
      return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// A string as written: escapes stay, since no key we look for has any.
    mutating func string() -> String? {
      guard take("\"") else { return nil }
      let start = position
      while let byte = next {
        if byte == UInt8(ascii: "\"") {
          position += 1
          return String(decoding: bytes[start..<position - 1], as: UTF8.self)
        }
        position += byte == UInt8(ascii: "\\") ? 2 : 1
      }
      return nil
    }
  }
}
