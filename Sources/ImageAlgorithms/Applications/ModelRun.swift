import Arrays

/// Images on their way through a model.
///
/// Batches of tiles may be asked for in any order and more than one at a time; the model's answers
/// are given back in the order of the batches.
public protocol ModelRun: Sendable {
  /// How many tiles the model is to see.
  var tileCount: Int { get }
  /// How many calls that takes.
  var batchCount: Int { get }
  /// How many tiles have been answered.
  var answeredTiles: Int { get }

  /// The input of one call of the model.
  ///
  /// - Returns: `[tile, row, column, channel]` in memory of its own.
  /// - Throws: ``ImageError`` never for a batch of this run.
  func batch(_ index: Int) throws(ImageError) -> NDArray<Float>

  /// Takes the model's answer to the next batch.
  ///
  /// - Parameter heads: the outputs in the order of their names, the tiles along the first axis.
  /// - Throws: ``ImageError`` when an output is missing or does not fit what was sent.
  mutating func accept(_ heads: [AnyNDArray]) throws(ImageError)
}

extension ModelRun {
  /// Calls the model on all batches and takes its answers.
  ///
  /// - Parameters:
  ///   - concurrentCalls: most calls of the model in flight.
  ///   - progress: called on the caller's executor after each answer with the tiles answered so far,
  ///     and how many there are.
  ///   - model: one call: from `[tile, row, column, channel]` to the model's outputs in the order of
  ///     their names. It may run more than once at a time.
  /// - Throws: ``ImageError`` when an answer does not fit, what `model` throws, or
  ///   `CancellationError`.
  public mutating func predict(
    concurrentCalls: Int = 2, progress: (_ tiles: Int, _ of: Int) -> Void = { _, _ in },
    model: @escaping @Sendable (NDArray<Float>) async throws -> [AnyNDArray]
  ) async throws {
    try await withThrowingTaskGroup(of: (index: Int, heads: [AnyNDArray]).self) { calls in
      var next = 0
      var answered = 0
      // Answers that came before that of an earlier batch; as many as calls in flight at most.
      var early: [Int: [AnyNDArray]] = [:]
      while answered < batchCount {
        // Not beyond what is awaited, so that one slow call does not let answers pile up.
        while next < min(batchCount, answered + max(concurrentCalls, 1)) {
          let (index, batch) = (next, try batch(next))
          calls.addTask { (index, try await model(batch)) }
          next += 1
        }
        guard let call = try await calls.next() else { break }
        early[call.index] = call.heads
        while let heads = early.removeValue(forKey: answered) {
          try accept(heads)
          answered += 1
          progress(answeredTiles, tileCount)
        }
        try Task.checkCancellation()
      }
    }
  }
}

/// A run whose images are labelled one by one once the model has answered.
protocol LabellingRun: ModelRun {
  /// How many images there are.
  var itemCount: Int { get }
}

extension LabellingRun {
  /// Calls the model on all batches, and finishes the images.
  ///
  /// - Parameters:
  ///   - concurrentCalls: most calls of the model in flight.
  ///   - progress: called on the caller's executor after each step.
  ///   - model: see ``ModelRun/predict(concurrentCalls:progress:model:)``.
  ///   - finish: makes the result, and tells how many images are done.
  consuming func completed<Result>(
    concurrentCalls: Int, progress: (SegmentationProgress) -> Void,
    model: @escaping @Sendable (NDArray<Float>) async throws -> [AnyNDArray],
    finish: @escaping (Self, (_ items: Int) -> Void) throws -> Result
  ) async throws -> Result {
    var run = self
    progress(.prepared(tiles: run.tileCount))
    try await run.predict(
      concurrentCalls: concurrentCalls,
      progress: { progress(.predicted(tiles: $0, of: $1)) }, model: model)
    let items = run.itemCount
    return try finish(run) { progress(.labelled(items: $0, of: items)) }
  }
}
