import Arrays

/// An image on its way through a model that finds something out about it: its scale, or its kind.
///
/// The image is sent as it is, in tiles; of the answers only sums are kept.
///
/// - Source: deepcell 0.12.10, `ScaleDetection` and `LabelDetection`.
public struct DetectionRun: ModelRun {
  private let batches: TileBatches
  /// Of the answers of all tiles, one for each value of an answer.
  private var sums: [Double]
  public private(set) var answeredTiles = 0

  /// How far from 1 a scale may be and count as 1.
  private static let tolerance = 0.01

  /// - Parameters:
  ///   - image: `[batch, row, column, channel]`, at least one pixel.
  ///   - modelShape: what the model declares, the same axes; -1 where any extent will do.
  ///   - batchSize: most tiles per call, at least 1.
  ///   - valueCount: how many values the model answers for each tile: 1 for a scale, for a kind as many
  ///     as there are kinds.
  /// - Throws: ``ImageError`` when the image does not fit the model.
  public init(
    _ image: NDArray<Float>, modelShape: Shape, batchSize: Int, valueCount: Int
  ) throws(ImageError) {
    precondition(valueCount >= 1)
    try requireModelTakes(image, modelShape: modelShape, batchSize: batchSize)
    try requirePixels(image)
    try requireFinitePixels(image)
    batches = TileBatches(
      image,
      tiling: try Tiling(
        shape: image.shape, modelRows: modelShape[1], modelColumns: modelShape[2], edge: .zero),
      size: batchSize, maximumValues: maximumValuesPerCall)
    sums = Array(repeating: 0, count: valueCount)
  }

  public var tileCount: Int { batches.tiling.count }
  public var batchCount: Int { batches.count }

  public func batch(_ index: Int) throws(ImageError) -> NDArray<Float> {
    try batches.batch(index)
  }

  /// Takes the model's answer to the next batch.
  ///
  /// - Parameter heads: its only output, `[tile, value]`.
  /// - Throws: ``ImageError`` when there are other outputs, the shape is another or a value is not finite.
  public mutating func accept(_ heads: [AnyNDArray]) throws(ImageError) {
    guard heads.count == 1, let head = heads.first else {
      throw ImageError(
        .unexpectedModelOutput,
        "the model answered \(heads.count) outputs; a model that detects has one")
    }
    try batches.requireTiles(in: head, after: answeredTiles)
    guard head.count == head.shape[0] * sums.count else {
      throw ImageError(
        .unexpectedModelOutput,
        "the model answered an array of shape \(head.shape.tupleDescription); it should be "
          + [head.shape[0], sums.count].tupleDescription)
    }
    let values = head.asFloat
    guard values.withUnsafeBuffer({ $0.allSatisfy(\.isFinite) }) else { throw .notFiniteOutput }
    values.withUnsafeBuffer { values in
      for (index, value) in values.enumerated() { sums[index % sums.count] += Double(value) }
    }
    answeredTiles += head.shape[0]
  }

  /// Micrometres per pixel of the image as a multiple of what segmentation models know, as
  /// ``SegmentationApplication/start(_:scale:modelShape:batchSize:)`` takes it.
  ///
  /// - Returns: the mean of all answers; 1 if it is almost that.
  /// - Throws: ``ImageError`` when answers are missing.
  public func scale() throws(ImageError) -> Double {
    try requireAnswers()
    let mean = sums.reduce(0, +) / Double(tileCount * sums.count)
    return abs(mean - 1) < Self.tolerance ? 1 : mean
  }

  /// Which kind of image it is.
  ///
  /// - Returns: the index of the value that is greatest over all tiles; the first of equal ones.
  /// - Throws: ``ImageError`` when answers are missing.
  public func label() throws(ImageError) -> Int {
    try requireAnswers()
    return sums.indices.reduce(0) { sums[$1] > sums[$0] ? $1 : $0 }
  }

  private func requireAnswers() throws(ImageError) {
    guard answeredTiles == tileCount else {
      throw ImageError(
        .unexpectedModelOutput,
        "the model answered \(answeredTiles) of the \(tileCount) tiles it was sent")
    }
  }
}
