extension NDArray {
  /// Each element through `transform`, same shape.
  @inlinable @inline(__always)
  public func map<Other: ArrayElement>(_ transform: (Element) -> Other) -> NDArray<Other> {
    NDArray<Other>(uninitialized: shape) { output in
      withUnsafeBuffer { input in
        for i in output.indices { output[i] = transform(input[i]) }
      }
    }
  }
}

extension NDArray where Element: BinaryInteger {
  /// The elements as `Float`, rounded to nearest.
  @inlinable public var asFloat: NDArray<Float> { map { Float($0) } }
}

extension NDArray where Element: BinaryFloatingPoint {
  /// The elements as `Float`, rounded to nearest.
  @inlinable public var asFloat: NDArray<Float> { map { Float($0) } }
}
