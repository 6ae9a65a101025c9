import Arrays

/// Labels objects from a model that tells for each pixel how far inside of an object it is, in steps.
///
/// The step of a pixel is that with the greatest score. Objects grow from the tops of the innermost step's score,
/// inner steps first, over all pixels that are not of step 0.
///
/// - Parameters:
///   - scores: `[batch, row, column, step]`, finite; 2 steps or more, 0 is background.
///   - minimumDistance: pixels between two tops, 1...500.
///   - threshold: a top's score is greater.
///   - minimumArea: pixels; smaller objects become background.
/// - Returns: `[batch, row, column, 1]`; 0 is background. Labels are counted from 1 per item before
///   small objects are removed, which leaves gaps.
/// - Throws: ``ImageError`` when shapes, values or parameters do not allow it; `CancellationError`
///   between the steps.
/// - Source: deepcell-toolbox 0.12, `watershed`, pixel by pixel but where tops of equal score are
///   closer than `minimumDistance`: the one kept is arbitrary there, and here the first.
public func distanceBinWatershed(
  _ scores: NDArray<Float>, minimumDistance: Int = 10, threshold: Float = 0.05,
  minimumArea: Int = 50
) throws -> NDArray<Int32> {
  try labelledItems(of: scores, minimumChannels: 2) { item in
    let steps = try argmax(try item.channels(), axis: 2)
    let mask = steps.map { $0 > 0 }
    try Task.checkCancellation()
    let peaks = try localMaxima(
      try item.channel(-1), within: mask, minimumDistance: minimumDistance, threshold: threshold)
    var tops = NDArray<Bool>(shape: mask.shape)
    tops.withUnsafeMutableBuffer { tops in
      for peak in peaks { tops[peak.row * item.columns + peak.column] = true }
    }
    var markers = tops.withUnsafeBuffer {
      RunComponents(of: $0, columns: item.columns, connectivity: .four)
    }
    let count = markers.number()
    try Task.checkCancellation()
    var labels = try flooded(
      steps.asFloat, isInside: { _, step in step > 0 },
      placeMarkers: { basin in markers.forEachPixel { basin.mark($0, $1, label: $2) } })
    labels.removeSmallLabels(upTo: count, minimumArea: minimumArea)
    return labels
  }
}
