/// Extents of an array, slowest axis first.
public typealias Shape = [Int]

extension Shape {
  /// The number of elements, or nil if an extent is negative or the product does not fit an `Int`.
  public var checkedElementCount: Int? {
    var product = 1
    for extent in self {
      guard extent >= 0 else { return nil }
      let (value, overflow) = product.multipliedReportingOverflow(by: extent)
      guard !overflow else { return nil }
      product = value
    }
    return product
  }

  /// Elements between neighbours along each axis of a row-major array.
  public var strides: [Int] {
    var strides = Array(repeating: 1, count: count)
    for axis in indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * self[axis + 1] }
    return strides
  }

  /// The form Python prints: `(512, 512)`, `(3,)`, `()`.
  public var tupleDescription: String {
    count == 1 ? "(\(self[0]),)" : "(" + map(String.init).joined(separator: ", ") + ")"
  }
}
