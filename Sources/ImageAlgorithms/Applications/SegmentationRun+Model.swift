import Arrays

extension SegmentationRun {
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
