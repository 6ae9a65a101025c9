import Arrays

/// Brings each channel of each image to mean 0 and standard deviation 1.
///
/// - Parameter image: `[batch, row, column, channel]`.
/// - Returns: the same shape; a constant channel becomes 0.
/// - Throws: ``ImageError`` when the rank is not 4.
/// - Source: deepcell-toolbox 0.12.1, `normalize`: the standard deviation is that of the population
///   plus 1e-7. Sums are taken in `Double` here.
public func normalized(_ image: NDArray<Float>) throws(ImageError) -> NDArray<Float> {
  try Planes.mapping(image) { values, result in
    let mean = values.reduce(0.0) { $0 + Double($1) } / Double(values.count)
    let squares = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
    let deviation = (squares / Double(values.count)).squareRoot() + 1e-7
    for i in values.indices { result[i] = Float((Double(values[i]) - mean) / deviation) }
  }
}
