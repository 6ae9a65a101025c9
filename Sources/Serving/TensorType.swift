import Arrays

/// An element type as TensorFlow numbers it, including those we cannot hold.
public struct TensorType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  public let rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  private static let names = [
    "DT_INVALID", "DT_FLOAT", "DT_DOUBLE", "DT_INT32", "DT_UINT8", "DT_INT16", "DT_INT8",
    "DT_STRING", "DT_COMPLEX64", "DT_INT64", "DT_BOOL", "DT_QINT8", "DT_QUINT8", "DT_QINT32",
    "DT_BFLOAT16", "DT_QINT16", "DT_QUINT16", "DT_UINT16", "DT_COMPLEX128", "DT_HALF",
    "DT_RESOURCE", "DT_VARIANT", "DT_UINT32", "DT_UINT64",
  ]

  /// The type of that name, such as `DT_FLOAT`, or of that number; nil if it is neither.
  public init?(name: String) {
    if let index = Self.names.firstIndex(of: name) {
      self.init(rawValue: Int32(index))
    } else if let number = Int32(name) {
      self.init(rawValue: number)
    } else {
      return nil
    }
  }

  public init(_ dtype: DType) {
    rawValue =
      switch dtype {
      case .float32: 1
      case .float64: 2
      case .int32: 3
      case .uint8: 4
      case .int16: 5
      case .int8: 6
      case .int64: 9
      case .bool: 10
      case .uint16: 17
      case .float16: 19
      case .uint32: 22
      case .uint64: 23
      }
  }

  /// The same type as arrays have it, nil when they cannot hold it.
  public var dtype: DType? { DType.allCases.first { TensorType($0) == self } }

  /// The name TensorFlow gives it; types newer than our list are reported by number.
  public var description: String {
    Self.names.indices.contains(Int(rawValue)) ? Self.names[Int(rawValue)] : String(rawValue)
  }
}
