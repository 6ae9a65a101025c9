import Arrays

/// Which cells are near one another, as graph networks take it: D^-½ A D^-½, where D is the diagonal
/// matrix of the sums of A's columns.
///
/// - Parameters:
///   - matrices: `[frame, cell, cell]`, 1 for neighbours and 0 for others.
///   - epsilon: added to the sums.
/// - Returns: the same shape.
/// - Throws: ``ImageError`` when the shape is another.
/// - Source: deepcell-tracking 0.6.5, `normalize_adj_matrix`.
public func normalizedAdjacency(
  _ matrices: NDArray<Float>, epsilon: Float = 1e-5
) throws(ImageError) -> NDArray<Float> {
  try requireRank(3, of: matrices, named: "the adjacency", axes: "frame, cell, cell")
  guard matrices.shape[1] == matrices.shape[2] else {
    throw ImageError(
      .invalidDimensions,
      "the adjacency has the shape \(matrices.shape.tupleDescription), which is not square")
  }
  let cells = matrices.shape[1]
  var result = matrices
  result.withUnsafeMutableBuffer { values in
    for start in stride(from: 0, to: values.count, by: max(cells * cells, 1)) {
      normalizeAdjacency(values[start..<start + cells * cells], cells: cells, epsilon: epsilon)
    }
  }
  return result
}

/// Normalises one matrix in place.
func normalizeAdjacency(
  _ matrix: Slice<UnsafeMutableBufferPointer<Float>>, cells: Int, epsilon: Float = 1e-5
) {
  let values = UnsafeMutableBufferPointer(rebasing: matrix)
  var scales = [Float](repeating: 0, count: cells)
  for row in 0..<cells {
    for column in 0..<cells { scales[column] += values[row * cells + column] }
  }
  for cell in 0..<cells { scales[cell] = 1 / (scales[cell] + epsilon).squareRoot() }
  scales.withUnsafeBufferPointer { scales in
    for row in 0..<cells {
      let scale = scales[row]
      for column in 0..<cells { values[row * cells + column] *= scale * scales[column] }
    }
  }
}
