import Arrays

/// The header of an NPY file.
///
/// It is written as a Python dictionary. It is matched here, never evaluated: three known keys with
/// values of three known kinds, and nothing else.
struct NPYHeader: Equatable {
  var dtype: DType
  var isBigEndian: Bool
  /// The first axis varies fastest.
  var isFortranOrder: Bool
  var shape: Shape

  enum Problem: Error, Equatable {
    case malformed
    /// A type code that numbers cannot have, as `|O`.
    case unsupportedType(String)
  }

  init(dtype: DType, isBigEndian: Bool = false, isFortranOrder: Bool = false, shape: Shape) {
    self.dtype = dtype
    self.isBigEndian = isBigEndian
    self.isFortranOrder = isFortranOrder
    self.shape = shape
  }

  /// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, keys in any order.
  init(parsing text: [UInt8]) throws(Problem) {
    var scanner = Scanner(bytes: text)
    guard scanner.take("{") else { throw .malformed }
    var code: String?
    var order: Bool?
    var shape: Shape?
    while !scanner.take("}") {
      guard let key = scanner.string(), scanner.take(":") else { throw .malformed }
      switch key {
      case "descr" where code == nil:
        // A list or tuple describes records.
        if scanner.isNext("[") || scanner.isNext("(") { throw .unsupportedType("records") }
        code = scanner.string()
        if code == nil { throw .malformed }
      case "fortran_order" where order == nil:
        order = scanner.boolean()
        if order == nil { throw .malformed }
      case "shape" where shape == nil:
        shape = scanner.extents()
        if shape == nil { throw .malformed }
      default: throw .malformed
      }
      if !scanner.take(",") {
        guard scanner.take("}") else { throw .malformed }
        break
      }
    }
    guard scanner.isAtEnd, let code, let order, let shape else { throw .malformed }
    guard let (dtype, isBigEndian) = Self.type(code) else { throw .unsupportedType(code) }
    self.init(dtype: dtype, isBigEndian: isBigEndian, isFortranOrder: order, shape: shape)
  }

  private static let codes: [(code: String, dtype: DType)] = [
    ("b1", .bool), ("u1", .uint8), ("i1", .int8), ("u2", .uint16), ("i2", .int16), ("u4", .uint32),
    ("i4", .int32), ("u8", .uint64), ("i8", .int64), ("f2", .float16), ("f4", .float32),
    ("f8", .float64),
  ]

  private static func type(_ descr: String) -> (DType, isBigEndian: Bool)? {
    let order = descr.first.flatMap { "<>|=".contains($0) ? $0 : nil }
    let code = order == nil ? descr[...] : descr.dropFirst()
    guard let entry = codes.first(where: { $0.code == code }) else { return nil }
    return (entry.dtype, order == ">")
  }

  /// A version 1 header with its magic, padded so that the elements start at a multiple of 64.
  var encoded: [UInt8] {
    let code = Self.codes.first { $0.dtype == dtype }?.code ?? ""
    let order = dtype.size == 1 ? "|" : isBigEndian ? ">" : "<"
    var text =
      "{'descr': '\(order)\(code)', 'fortran_order': \(isFortranOrder ? "True" : "False"), "
      + "'shape': \(shape.tupleDescription), }"
    let fixed = 10
    let padding = 63 - (fixed + text.utf8.count) % 64
    text += String(repeating: " ", count: padding) + "\n"
    let length = text.utf8.count
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)]
      + Array(text.utf8)
  }
}

extension NPYHeader {
  private struct Scanner {
    let bytes: [UInt8]
    var position = 0

    mutating func skipSpace() {
      while position < bytes.count, " \t\r\n\0".utf8.contains(bytes[position]) { position += 1 }
    }

    var isAtEnd: Bool {
      mutating get {
        skipSpace()
        return position == bytes.count
      }
    }

    mutating func isNext(_ character: Unicode.Scalar) -> Bool {
      skipSpace()
      return position < bytes.count && bytes[position] == UInt8(ascii: character)
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard isNext(character) else { return false }
      position += 1
      return true
    }

    /// A quoted text without escapes.
    mutating func string() -> String? {
      let quote: Unicode.Scalar = isNext("\"") ? "\"" : "'"
      guard take(quote) else { return nil }
      let start = position
      while position < bytes.count, bytes[position] != UInt8(ascii: quote) {
        guard bytes[position] != UInt8(ascii: "\\"), position - start < 64 else { return nil }
        position += 1
      }
      guard position < bytes.count else { return nil }
      position += 1
      return String(decoding: bytes[start..<position - 1], as: UTF8.self)
    }

    mutating func boolean() -> Bool? {
      skipSpace()
      for (word, value) in [("True", true), ("False", false)]
      where bytes[position...].starts(with: word.utf8) {
        position += word.utf8.count
        return value
      }
      return nil
    }

    /// `()`, `(3,)` or `(3, 4)`, of at most 32 numbers.
    mutating func extents() -> Shape? {
      guard take("(") else { return nil }
      var shape: Shape = []
      while !take(")") {
        guard let extent = number(), shape.count < 32 else { return nil }
        shape.append(extent)
        if !take(",") {
          guard shape.count > 1, take(")") else { return nil }
          break
        }
      }
      return shape
    }

    mutating func number() -> Int? {
      skipSpace()
      let start = position
      while position < bytes.count, (0x30...0x39).contains(bytes[position]) { position += 1 }
      let digits = String(decoding: bytes[start..<position], as: UTF8.self)
      // Python 2 wrote long integers as `3L`.
      if position < bytes.count, bytes[position] == UInt8(ascii: "L") { position += 1 }
      return Int(digits)
    }
  }
}
