import Arrays

/// Labels the regions a model is sure are inside of objects.
///
/// - Parameters:
///   - scores: `[batch, row, column, channel]`, 2 channels or more, the last but one of which is high
///     inside objects, and finite.
///   - threshold: pixels whose score is greater belong to objects; those that share an edge belong to
///     the same.
///   - minimumArea: pixels; smaller objects become background.
/// - Returns: `[batch, row, column, 1]`; 0 is background. Labels are counted from 1 per item, in the
///   order of the first pixels, before small objects are removed, which leaves gaps.
/// - Throws: ``ImageError`` when shapes or values do not allow it; `CancellationError` between the
///   images.
/// - Source: deepcell-toolbox 0.12, `pixelwise`, pixel by pixel.
public func pixelwiseSegmentation(
  _ scores: NDArray<Float>, threshold: Float = 0.8, minimumArea: Int = 50
) throws -> NDArray<Int32> {
  try labelledItems(of: scores, minimumChannels: 2) { item in
    let columns = item.columns
    return try item.channel(-2).withUnsafeBuffer { interior in
      var components = RunComponents(
        rows: item.rows, columns: columns, connectivity: .four,
        isSet: { row, x in interior[row &* columns &+ x] > threshold })
      return components.labels(rows: item.rows, columns: columns, minimumArea: minimumArea)
    }
  }
}
