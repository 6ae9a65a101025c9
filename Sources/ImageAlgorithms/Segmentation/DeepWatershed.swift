import Arrays

/// Splits a model's maps into labelled objects: the tops of one map are the seeds from which the
/// other is flooded.
///
/// - Parameters:
///   - maxima: `[batch, row, column, channel]`, finite; channel 0 is high at the centre of objects.
///   - interior: the same but for the number of channels; channel 0 is high inside objects.
///   - parameters: such as ``DeepWatershedParameters/nuclear``.
/// - Returns: `[batch, row, column, 1]`; 0 is background, labels are 1... without gaps per item.
/// - Throws: ``ImageError`` when shapes, values or parameters do not allow it; `CancellationError`
///   between the steps.
/// - Source: deepcell-toolbox 0.12.1, `deep_watershed`, pixel by pixel.
@specialized(where Pixel == Float)
@specialized(where Pixel == Double)
public func deepWatershed<Pixel: RealPixel>(
  maxima: NDArray<Pixel>, interior: NDArray<Pixel>, parameters: DeepWatershedParameters
) throws -> NDArray<Int32> {
  let axes = "batch, row, column, channel"
  try requireRank(4, of: maxima, named: "the maxima", axes: axes)
  try requireRank(4, of: interior, named: "the interior", axes: axes)
  guard maxima.shape[..<3] == interior.shape[..<3], maxima.shape[3] > 0, interior.shape[3] > 0
  else {
    throw ImageError(
      .invalidDimensions,
      "the maxima have shape \(maxima.shape.tupleDescription), the interior has shape "
        + "\(interior.shape.tupleDescription); they must agree but for the channels")
  }
  let (rows, columns) = (maxima.shape[1], maxima.shape[2])
  let shape = maxima.shape[..<3] + [1]
  if maxima.shape[0] == 1 {
    return try objects(
      maxima: maxima.slice(0).channel(0), interior: interior.slice(0).channel(0),
      parameters: parameters
    ).reshaped(to: Array(shape))
  }
  return try NDArray(uninitialized: Array(shape)) { output in
    for item in 0..<maxima.shape[0] {
      let labels = try objects(
        maxima: maxima.slice(item).channel(0), interior: interior.slice(item).channel(0),
        parameters: parameters)
      labels.withUnsafeBuffer {
        _ = output[(item * rows * columns)...].update(fromContentsOf: $0)
      }
    }
  }
}

/// ``deepWatershed(maxima:interior:parameters:)`` of one image, `[row, column]`.
@inline(__always)
private func objects<Pixel: RealPixel>(
  maxima: NDArray<Pixel>, interior: NDArray<Pixel>, parameters: DeepWatershedParameters
) throws -> NDArray<Int32> {
  for (map, name) in [(maxima, "maxima"), (interior, "interior")] {
    guard map.withUnsafeBuffer({ Extent(of: $0) }) != nil else {
      throw ImageError(.notFinite, "the model's \(name) contain NaN or infinite values")
    }
  }
  try Task.checkCancellation()
  let tops = try tops(of: gaussian(maxima, sigma: parameters.maximaSmooth), parameters)
  var markers = tops.withUnsafeBuffer {
    RunComponents(of: $0, columns: tops.shape[1], connectivity: .eight)
  }
  let count = markers.number()
  try Task.checkCancellation()
  var interior = try gaussian(interior, sigma: parameters.interiorSmooth)
  if parameters.pixelExpansion > 0 {
    guard parameters.pixelExpansion <= 500 else {
      throw ImageError(
        .invalidParameter,
        "the interior can be widened by 500 pixels at most, not \(parameters.pixelExpansion)")
    }
    interior = greatest(of: interior, in: .square(parameters.pixelExpansion))
  }
  try Task.checkCancellation()
  let threshold = Pixel(rounding: parameters.interiorThreshold)
  var labels = try flooded(
    interior, isInside: { _, height in height > threshold },
    placeMarkers: { basin in markers.forEachPixel { basin.mark($0, $1, label: $2) } })
  try Task.checkCancellation()
  if parameters.labelErosion > 0 {
    labels = try erodeEdges(labels, width: parameters.labelErosion)
  }
  if parameters.smallObjectsThreshold > 0 {
    labels.removeSmallLabels(upTo: count, minimumArea: parameters.smallObjectsThreshold)
  }
  if parameters.fillHolesThreshold > 0 {
    labels.fillHoles(upTo: count, maximumArea: parameters.fillHolesThreshold)
  }
  _ = labels.closeLabelGaps(upTo: count)
  return labels
}

/// The pixels objects grow from.
@inline(__always)
private func tops<Pixel: RealPixel>(
  of maxima: NDArray<Pixel>, _ parameters: DeepWatershedParameters
) throws(ImageError) -> NDArray<Bool> {
  switch parameters.maximaAlgorithm {
  case .hMaxima:
    return try hMaxima(maxima, h: parameters.maximaThreshold, radius: parameters.radius)
  case .localMaxima:
    let peaks = try localMaxima(
      maxima, minimumDistance: parameters.radius,
      threshold: Pixel(rounding: parameters.maximaThreshold), excludesBorder: false)
    var tops = NDArray<Bool>(shape: maxima.shape)
    tops.withUnsafeMutableBuffer { tops in
      for peak in peaks { tops[peak.row * maxima.shape[1] + peak.column] = true }
    }
    return tops
  }
}
