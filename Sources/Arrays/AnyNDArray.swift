/// An array whose element type is known at run time only: a decoded image, a model's tensor.
public struct AnyNDArray: Sendable {
  public let dtype: DType
  /// Extents, slowest axis first.
  public let shape: Shape
  /// Elements in all.
  public let count: Int
  package let storage: ArrayStorage
  package let byteOffset: Int

  public init<Element>(_ array: NDArray<Element>) {
    dtype = Element.dtype
    shape = array.shape
    count = array.count
    (storage, byteOffset) = array.backing
  }

  /// An array whose memory `fill` must write completely: row-major, in the machine's byte order.
  public init<E: Error>(
    dtype: DType, uninitialized shape: Shape,
    fill: (UnsafeMutableRawBufferPointer) throws(E) -> Void
  ) throws(E) {
    guard let count = shape.checkedElementCount,
      case (let bytes, let overflow) = count.multipliedReportingOverflow(by: dtype.size), !overflow
    else { preconditionFailure("impossible shape \(shape)") }
    self.dtype = dtype
    self.shape = shape
    self.count = count
    storage = ArrayStorage(byteCount: bytes)
    byteOffset = 0
    try fill(storage.bytes)
  }

  public var rank: Int { shape.count }
  public var byteCount: Int { count * dtype.size }

  /// Reads the elements' bytes in row-major order; the pointer is valid inside `body` only.
  public func withUnsafeBytes<Result, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> Result
  ) throws(E) -> Result {
    defer { withExtendedLifetime(storage) {} }
    let start = storage.bytes.baseAddress! + byteOffset
    return try body(UnsafeRawBufferPointer(start: start, count: byteCount))
  }

  /// The array as one of its own element type, without a copy; nil if the type differs.
  public func typed<Element: ArrayElement>(as type: Element.Type = Element.self)
    -> NDArray<Element>?
  {
    guard Element.dtype == dtype else { return nil }
    return NDArray(shape: shape, storage: storage, offset: byteOffset / dtype.size)
  }

  /// The elements as `Float`: without a copy if they are, else rounded to nearest; true is 1.
  public var asFloat: NDArray<Float> {
    switch dtype {
    case .bool: view(Bool.self).map { $0 ? 1 : 0 }
    case .uint8: view(UInt8.self).asFloat
    case .int8: view(Int8.self).asFloat
    case .uint16: view(UInt16.self).asFloat
    case .int16: view(Int16.self).asFloat
    case .uint32: view(UInt32.self).asFloat
    case .int32: view(Int32.self).asFloat
    case .uint64: view(UInt64.self).asFloat
    case .int64: view(Int64.self).asFloat
    case .float16: view(Float16.self).asFloat
    case .float32: view(Float.self)
    case .float64: view(Double.self).asFloat
    }
  }

  /// The elements as another type: nearest float, or truncated towards zero and clamped to range;
  /// NaN becomes 0. Without a copy if the type is the same.
  public func converted<Element: ArrayElement & FixedWidthInteger>(to type: Element.Type)
    -> NDArray<Element>
  {
    if let same = typed(as: type) { return same }
    func clamped<T: BinaryFloatingPoint & ArrayElement>(_ array: NDArray<T>) -> NDArray<Element> {
      array.map { value in
        if value.isNaN { return 0 }
        let value = Double(value).rounded(.towardZero)
        return Element(exactly: value) ?? (value < 0 ? .min : .max)
      }
    }
    return switch dtype {
    case .bool: view(Bool.self).map { $0 ? 1 : 0 }
    case .uint8: view(UInt8.self).map { Element(clamping: $0) }
    case .int8: view(Int8.self).map { Element(clamping: $0) }
    case .uint16: view(UInt16.self).map { Element(clamping: $0) }
    case .int16: view(Int16.self).map { Element(clamping: $0) }
    case .uint32: view(UInt32.self).map { Element(clamping: $0) }
    case .int32: view(Int32.self).map { Element(clamping: $0) }
    case .uint64: view(UInt64.self).map { Element(clamping: $0) }
    case .int64: view(Int64.self).map { Element(clamping: $0) }
    case .float16: clamped(view(Float16.self))
    case .float32: clamped(view(Float.self))
    case .float64: clamped(view(Double.self))
    }
  }

  private func view<Element: ArrayElement>(_ type: Element.Type) -> NDArray<Element> {
    NDArray(shape: shape, storage: storage, offset: byteOffset / dtype.size)
  }

  /// The same elements under another shape, without a copy.
  ///
  /// - Throws: ``ArrayError`` when the number of elements differs.
  public func reshaped(to shape: Shape) throws(ArrayError) -> AnyNDArray {
    guard shape.checkedElementCount == count else {
      throw ArrayError(
        .shapeMismatch,
        "cannot view shape \(self.shape.tupleDescription) as \(shape.tupleDescription)")
    }
    return AnyNDArray(viewing: self, as: shape)
  }

  private init(viewing array: AnyNDArray, as shape: Shape) {
    dtype = array.dtype
    self.shape = shape
    count = array.count
    storage = array.storage
    byteOffset = array.byteOffset
  }
}

extension AnyNDArray: CustomStringConvertible {
  public var description: String { "\(dtype)\(shape.tupleDescription)" }
}
