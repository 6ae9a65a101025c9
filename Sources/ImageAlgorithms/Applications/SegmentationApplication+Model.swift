import Arrays

/// How far a segmentation has come.
public enum SegmentationProgress: Sendable, Hashable {
  /// The image is ready for the model.
  case prepared(tiles: Int)
  /// The model has answered some of the tiles.
  case predicted(tiles: Int, of: Int)
  /// Some of the images have been labelled.
  case labelled(items: Int, of: Int)
}

extension SegmentationApplication {
  /// Segments images with a model.
  ///
  /// - Parameters:
  ///   - image: `[batch, row, column, channel]`, finite.
  ///   - scale: see ``start(_:scale:modelShape:batchSize:)``.
  ///   - modelShape: likewise.
  ///   - batchSize: most tiles per call, at least 1.
  ///   - concurrentCalls: most calls of the model in flight.
  ///   - progress: called on the caller's executor after each step.
  ///   - predict: one call of the model: from `[tile, row, column, channel]` to its outputs in the
  ///     order of their names. It may run more than once at a time.
  /// - Returns: `[batch, row, column, 1]`; 0 is background, labels are 1... per item.
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
