/// A type an ``NDArray`` can hold: fixed width, copied bit by bit.
public protocol ArrayElement: BitwiseCopyable, Sendable, Hashable {
  /// How the type is called when it is only known at run time.
  static var dtype: DType { get }
  /// What new arrays are filled with; all bits are 0.
  static var zero: Self { get }
}

extension Bool: ArrayElement {
  public static var dtype: DType { .bool }
  public static var zero: Bool { false }
}
extension UInt8: ArrayElement { public static var dtype: DType { .uint8 } }
extension Int8: ArrayElement { public static var dtype: DType { .int8 } }
extension UInt16: ArrayElement { public static var dtype: DType { .uint16 } }
extension Int16: ArrayElement { public static var dtype: DType { .int16 } }
extension UInt32: ArrayElement { public static var dtype: DType { .uint32 } }
extension Int32: ArrayElement { public static var dtype: DType { .int32 } }
extension UInt64: ArrayElement { public static var dtype: DType { .uint64 } }
extension Int64: ArrayElement { public static var dtype: DType { .int64 } }
extension Float16: ArrayElement { public static var dtype: DType { .float16 } }
extension Float: ArrayElement { public static var dtype: DType { .float32 } }
extension Double: ArrayElement { public static var dtype: DType { .float64 } }
