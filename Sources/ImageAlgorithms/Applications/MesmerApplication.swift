import Arrays

/// What is done with images of a nuclear and a membrane channel before and after Mesmer's model:
/// everything between the image and its labels but the model itself.
///
/// - Source: deepcell 0.12.10, `Mesmer`, given equal answers of the model label by label.
public struct MesmerApplication: Sendable, Hashable {
  /// Micrometres per pixel the model was trained at.
  public var modelResolution = 0.5
  /// ``mesmerPreprocessed(_:percentile:kernelSize:)``.
  public var percentile = 99.9
  /// Likewise, pixels.
  public var kernelSize: Int? = 128
  /// What lies beyond the image where tiles reach over its edge.
  public var edge = TileAxis.Edge.zero
  /// Most pixels an image may have once it is resized to the model's resolution.
  public var maximumPixels = 1 << 26
  /// Most pixels all images together may have then.
  public var maximumBatchPixels = 1 << 28
  public var postprocessing: MesmerPostprocessing

  public init(postprocessing: MesmerPostprocessing = MesmerPostprocessing()) {
    self.postprocessing = postprocessing
  }

  /// Prepares images for the model.
  ///
  /// - Parameters:
  ///   - image: `[batch, row, column, channel]`, finite; channels as the model takes them: nuclei, then
  ///     membranes.
  ///   - scale: micrometres per pixel of the image as a multiple of the model's; at 2 the model is
  ///     sent the image at twice its size.
  ///   - modelShape: what the model declares, `[batch, row, column, channel]`; -1 where any extent
  ///     will do.
  ///   - batchSize: most tiles per call, at least 1.
  /// - Throws: ``ImageError`` when the image does not fit the model or cannot be processed;
  ///   `CancellationError` between the steps.
  public func start(
    _ image: NDArray<Float>, scale: Double = 1, modelShape: Shape, batchSize: Int
  ) throws -> MesmerRun {
    try requireModelTakes(image, modelShape: modelShape, batchSize: batchSize)
    try requirePixels(image)
    try requireFinitePixels(image)
    let prepared = try mesmerPreprocessed(
      try rescaled(
        image, by: scale, modelResolution: modelResolution, maximumPixels: maximumPixels,
        maximumBatchPixels: maximumBatchPixels),
      percentile: percentile, kernelSize: kernelSize)
    let tiling = try Tiling(
      shape: prepared.shape, modelRows: modelShape[1], modelColumns: modelShape[2], edge: edge)
    return MesmerRun(
      postprocessing: postprocessing, originalShape: image.shape,
      batches: TileBatches(
        prepared, tiling: tiling, size: batchSize, maximumValues: maximumValuesPerCall))
  }

  /// Segments images with a model.
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
  /// - Returns: see ``MesmerRun/labels(progress:)``.
  /// - Throws: ``ImageError``, what `predict` throws, or `CancellationError`: cancellation is looked
  ///   at between all steps, and calls of the model are cancelled with it.
  public func labels(
    of image: NDArray<Float>, scale: Double = 1, modelShape: Shape, batchSize: Int,
    concurrentCalls: Int = 2, progress: (SegmentationProgress) -> Void = { _ in },
    predict: @escaping @Sendable (NDArray<Float>) async throws -> [AnyNDArray]
  ) async throws -> NDArray<Int32> {
    try await start(image, scale: scale, modelShape: modelShape, batchSize: batchSize).completed(
      concurrentCalls: concurrentCalls, progress: progress, model: predict
    ) { try $0.labels(progress: $1) }
  }
}
