import Arrays

extension CellTracker {
  /// Has all cells described.
  ///
  /// - Parameters:
  ///   - progress: called with the frames that are described.
  ///   - model: gives `[frame, cell, value]`.
  /// - Throws: ``ImageError`` when an answer does not fit, what `model` throws, or
  ///   `CancellationError`.
  public mutating func describe(
    progress: (_ frames: Int) -> Void = { _ in },
    model: (CellDescriptions) async throws -> NDArray<Float>
  ) async throws {
    for frames in descriptionRanges {
      try Task.checkCancellation()
      try accept(await model(descriptions(of: frames)), of: frames)
      progress(frames.upperBound)
    }
  }

  /// Links all frames.
  ///
  /// - Parameters:
  ///   - progress: called with the frames that are linked.
  ///   - model: gives `[1, 1, track, cell, 3]`.
  /// - Throws: as ``describe(progress:model:)``.
  public mutating func link(
    progress: (_ frames: Int) -> Void = { _ in },
    model: (TrackComparison) async throws -> NDArray<Float>
  ) async throws {
    while nextFrame < frameCount {
      try Task.checkCancellation()
      let answer =
        if let comparison = try comparison() { try await model(comparison) } else {
          nil as NDArray<Float>?
        }
      try link(answer)
      progress(nextFrame)
    }
  }
}
