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
    var run = try start(image, scale: scale, modelShape: modelShape, batchSize: batchSize)
    progress(.prepared(tiles: run.tileCount))
    try await withThrowingTaskGroup(of: (index: Int, heads: [AnyNDArray]).self) { calls in
      var next = 0
      // Answers that came before that of an earlier batch; as many as calls in flight at most.
      var early: [Int: [AnyNDArray]] = [:]
      var answered = 0
      while answered < run.batchCount {
        // Not beyond what is awaited, so that one slow call does not let answers pile up.
        while next < min(run.batchCount, answered + max(concurrentCalls, 1)) {
          let (index, batch) = (next, try run.batch(next))
          calls.addTask { (index, try await predict(batch)) }
          next += 1
        }
        guard let call = try await calls.next() else { break }
        early[call.index] = call.heads
        while let heads = early.removeValue(forKey: answered) {
          try run.accept(heads)
          answered += 1
          progress(.predicted(tiles: run.answeredTiles, of: run.tileCount))
        }
        try Task.checkCancellation()
      }
    }
    let items = run.itemCount
    return try run.labels { progress(.labelled(items: $0, of: items)) }
  }
}
