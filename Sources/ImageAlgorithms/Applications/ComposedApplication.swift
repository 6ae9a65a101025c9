import Arrays

/// An application put together from functions a job names: what is done with an image before and after
/// a model that is the job's own, too.
///
/// - Source: kiosk-redis-consumer 0.1 to 0.8.4, whose jobs named all of this in their hash.
public struct ComposedApplication: Sendable, Hashable {
  public var preprocessing: NamedPreprocessing
  public var postprocessing: NamedPostprocessing
  /// 0: tiles of the model's size, or the whole image if it takes any; otherwise the image is cut into
  /// that many pieces along each axis.
  public var cuts: Int
  /// Pixels the model looks at to decide on one of them, an odd number; half of it is sent around each
  /// piece. Without cuts it means nothing.
  public var fieldSize: Int
  /// Most pixels an image may have once it is rescaled.
  public var maximumPixels = 1 << 26
  /// Most pixels all images together may have then.
  public var maximumBatchPixels = 1 << 28
  /// Most values the outputs of the model may have for all images together.
  public var maximumOutputValues = 1 << 28

  public init(
    preprocessing: NamedPreprocessing = .none, postprocessing: NamedPostprocessing = .none,
    cuts: Int = 0, fieldSize: Int = 61
  ) {
    self.preprocessing = preprocessing
    self.postprocessing = postprocessing
    self.cuts = cuts
    self.fieldSize = fieldSize
  }

  /// Prepares an image for the model.
  ///
  /// - Parameters:
  ///   - image: `[batch, row, column, channel]`, at least one pixel.
  ///   - scale: the model is sent the image at so many times its size.
  ///   - modelShape: what the model declares, `[batch, row, column, channel]`; -1 where any extent
  ///     will do.
  ///   - batchSize: most tiles per call, at least 1.
  /// - Throws: ``ImageError`` when the image does not fit the model or the cuts, or cannot be processed;
  ///   `CancellationError` between the steps.
  public func start(
    _ image: NDArray<Float>, scale: Double = 1, modelShape: Shape, batchSize: Int
  ) throws -> ComposedRun {
    try requireModelTakes(image, modelShape: modelShape, batchSize: batchSize)
    try requirePixels(image)
    try requireFinitePixels(image)
    try ScaledSize.requireFactor(scale)
    // Never less than a pixel.
    let size = try ScaledSize(
      of: image.shape, factor: scale, rounded: .toNearestOrEven, atLeast: 1,
      maximumPixels: maximumPixels, maximumBatchPixels: maximumBatchPixels)
    let rescaled = try resizedNearest(image, rows: size.rows, columns: size.columns)
    // What does not fit should not cost the time of preparing.
    let tiling = try tiling(of: rescaled.shape, modelShape: modelShape)
    try Task.checkCancellation()
    return ComposedRun(
      application: self, originalShape: image.shape,
      batches: TileBatches(
        try preprocessing.apply(to: rescaled), tiling: tiling, size: batchSize,
        maximumValues: maximumValuesPerCall))
  }

  private func tiling(of shape: Shape, modelShape: Shape) throws(ImageError) -> Tiling {
    guard cuts != 0 else {
      return try Tiling(shape: shape, modelRows: modelShape[1], modelColumns: modelShape[2])
    }
    let pieces = try Tiling(shape: shape, cuts: cuts, fieldSize: fieldSize)
    for (axis, model) in [(pieces.rows, modelShape[1]), (pieces.columns, modelShape[2])] {
      guard model < 1 || axis.tile == model else {
        throw ImageError(
          .invalidParameter,
          "\(cuts) cuts with a field size of \(fieldSize) make pieces of \(pieces.rows.tile) x "
            + "\(pieces.columns.tile) pixels, but the model takes \(modelShape[1]) x "
            + "\(modelShape[2]) (-1: any); without cuts the image is cut to fit")
      }
    }
    return pieces
  }

  /// Does it all.
  ///
  /// - Parameters:
  ///   - image: see ``start(_:scale:modelShape:batchSize:)``.
  ///   - scale: likewise.
  ///   - modelShape: likewise.
  ///   - batchSize: likewise.
  ///   - concurrentCalls: most calls of the model in flight.
  ///   - progress: called on the caller's executor after each step.
  ///   - predict: one call of the model: from `[tile, row, column, channel]` to its outputs in the
  ///     order of their names. It may run more than once at a time.
  /// - Returns: `[batch, row, column, channel]` at the size of the image.
  /// - Throws: ``ImageError``, what `predict` throws, or `CancellationError`: cancellation is looked
  ///   at between all steps, and calls of the model are cancelled with it.
  public func result(
    of image: NDArray<Float>, scale: Double = 1, modelShape: Shape, batchSize: Int,
    concurrentCalls: Int = 2, progress: (SegmentationProgress) -> Void = { _ in },
    predict: @escaping @Sendable (NDArray<Float>) async throws -> [AnyNDArray]
  ) async throws -> NamedPostprocessing.Result {
    try await start(image, scale: scale, modelShape: modelShape, batchSize: batchSize).completed(
      concurrentCalls: concurrentCalls, progress: progress, model: predict
    ) { try $0.result(progress: $1) }
  }
}
