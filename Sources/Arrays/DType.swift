/// The element types of images, label images and model tensors.
public enum DType: String, Sendable, CaseIterable, CustomStringConvertible {
  case bool
  case uint8, int8, uint16, int16, uint32, int32, uint64, int64
  case float16, float32, float64

  /// Bytes per element.
  public var size: Int {
    switch self {
    case .bool, .uint8, .int8: 1
    case .uint16, .int16, .float16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64: 8
    }
  }

  public var isFloatingPoint: Bool {
    switch self {
    case .float16, .float32, .float64: true
    default: false
    }
  }

  public var description: String { rawValue }
}
