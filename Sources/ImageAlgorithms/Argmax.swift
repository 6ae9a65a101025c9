import Arrays

/// The index of the greatest value along an axis.
///
/// - Parameters:
///   - array: any rank but 0.
///   - axis: counted from the front, or from the end if negative; its length must not be 0.
/// - Returns: the shape without that axis; the first of equal values, or the first NaN.
/// - Throws: ``ImageError`` when there is no such axis, as with a model that answers another shape, or
///   it is empty.
/// - Source: numpy 1.23, `argmax`.
public func argmax(_ array: NDArray<Float>, axis: Int) throws(ImageError) -> NDArray<Int32> {
  let number = axis < 0 ? axis + array.rank : axis
  guard array.shape.indices.contains(number), array.shape[number] > 0 else {
    throw ImageError(
      .invalidDimensions,
      "cannot pick the greatest value along axis \(axis) of an array of shape "
        + array.shape.tupleDescription)
  }
  let axis = number
  let length = array.shape[axis]
  let inner = array.shape[(axis + 1)...].reduce(1, *)
  var shape = array.shape
  shape.remove(at: axis)
  return NDArray(uninitialized: shape) { output in
    array.withUnsafeBuffer { input in
      for i in output.indices {
        let start = i / max(inner, 1) * inner * length + i % max(inner, 1)
        var best = 0
        var greatest = input[start]
        for index in 1..<max(length, 1) where !greatest.isNaN {
          let value = input[start + index * inner]
          if value > greatest || value.isNaN { (best, greatest) = (index, value) }
        }
        output[i] = Int32(best)
      }
    }
  }
}
