import Arrays

/// One image of a model's answer, `[row, column, channel]`, on its way to labels.
struct ScoreItem {
  let scores: NDArray<Float>

  var rows: Int { scores.shape[0] }
  var columns: Int { scores.shape[1] }

  /// One channel, `[row, column]`.
  ///
  /// - Parameter index: counted from the end if negative.
  /// - Throws: ``ImageError`` when a value is NaN or infinite.
  func channel(_ index: Int) throws(ImageError) -> NDArray<Float> {
    let number = index < 0 ? index + scores.shape[2] : index
    let plane = scores.channel(number)
    try requireFinite(plane, named: "channel \(number) of the model's output")
    return plane
  }

  /// All channels, `[row, column, channel]`.
  ///
  /// - Throws: ``ImageError`` when a value is NaN or infinite.
  func channels() throws(ImageError) -> NDArray<Float> {
    try requireFinite(scores, named: "the model's output")
    return scores
  }
}

/// Labels each image of a batch by itself.
///
/// - Parameters:
///   - scores: `[batch, row, column, channel]`, a model's output.
///   - minimumChannels: how many channels are needed.
///   - label: from one image to its labels, `[row, column]`.
/// - Returns: `[batch, row, column, 1]`.
/// - Throws: ``ImageError`` when the output has another rank or too few channels, what `label`
///   throws, or `CancellationError` between the images.
func labelledItems(
  of scores: NDArray<Float>, minimumChannels: Int,
  label: (ScoreItem) throws -> NDArray<Int32>
) throws -> NDArray<Int32> {
  guard scores.rank == 4 else {
    throw ImageError(
      .unexpectedModelOutput,
      "the model's output must have the axes (batch, row, column, channel), not the shape "
        + scores.shape.tupleDescription)
  }
  guard scores.shape[3] >= minimumChannels else {
    throw ImageError(
      .unexpectedModelOutput,
      "the model's output has shape \(scores.shape.tupleDescription), but at least "
        + "\(minimumChannels) channels are needed")
  }
  let (rows, columns) = (scores.shape[1], scores.shape[2])
  try requireIndexable([rows, columns])
  return try NDArray(uninitialized: [scores.shape[0], rows, columns, 1]) { output in
    for item in 0..<scores.shape[0] {
      try Task.checkCancellation()
      try label(ScoreItem(scores: scores.slice(item))).withUnsafeBuffer {
        _ = output[(item * rows * columns)...].update(fromContentsOf: $0)
      }
    }
  }
}

/// Refuses values that do not order or cannot be computed with.
func requireFinite(_ array: NDArray<Float>, named name: String) throws(ImageError) {
  guard array.withUnsafeBuffer({ Extent(of: $0) }) != nil else {
    throw ImageError(.notFinite, "\(name) contains NaN or infinite values")
  }
}
