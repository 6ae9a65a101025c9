extension AnyNDArray {
  /// Entries of the first axis, sharing memory: `[n, ...]`.
  public func slice(_ range: Range<Int>) -> AnyNDArray {
    precondition(rank > 0 && range.lowerBound >= 0 && range.upperBound <= shape[0])
    let step = shape[0] == 0 ? 0 : byteCount / shape[0]
    return AnyNDArray(
      viewing: self, as: [range.count] + shape.dropFirst(),
      byteOffset: byteOffset + range.lowerBound * step)
  }

  /// Arrays one after the other along the first axis, copied.
  ///
  /// - Parameter arrays: at least one; `[n, ...]`, where only `n` may differ.
  /// - Throws: ``ArrayError`` when types, ranks or the other extents differ.
  public static func concatenated(_ arrays: [AnyNDArray]) throws(ArrayError) -> AnyNDArray {
    precondition(!arrays.isEmpty, "nothing to concatenate")
    let first = arrays[0]
    for array in arrays {
      guard array.rank > 0, array.dtype == first.dtype,
        array.shape.dropFirst() == first.shape.dropFirst()
      else { throw ArrayError(.shapeMismatch, "cannot join \(first) and \(array)") }
    }
    let rows = arrays.reduce(0) { $0 + $1.shape[0] }
    return AnyNDArray(dtype: first.dtype, uninitialized: [rows] + first.shape.dropFirst()) {
      var rest = $0[...]
      for array in arrays {
        array.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: rest).copyMemory(from: $0) }
        rest = rest.dropFirst(array.byteCount)
      }
    }
  }

  private init(viewing array: AnyNDArray, as shape: Shape, byteOffset: Int) {
    dtype = array.dtype
    self.shape = shape
    count = shape.reduce(1, *)
    storage = array.storage
    self.byteOffset = byteOffset
  }
}
