import Arrays

/// Images on their way through a ``SpotApplication``.
///
/// Each of the model's answers is used up at once, so that a run never holds more than the image and three
/// maps of its size.
public struct SpotRun: ModelRun {
  private let application: SpotApplication
  /// Which images have no contrast, and so no spots.
  private let isBlank: [Bool]
  private let batches: TileBatches
  private var scores: Untiler
  private var offsets: Untiler

  /// The channel of the classification that is a spot's.
  private static let spotClass = 1

  init(application: SpotApplication, isBlank: [Bool], batches: TileBatches) {
    self.application = application
    self.isBlank = isBlank
    self.batches = batches
    scores = Untiler(batches.tiling)
    offsets = Untiler(batches.tiling, channels: 2)
  }

  public var tileCount: Int { batches.tiling.count }
  public var batchCount: Int { batches.count }
  public var answeredTiles: Int { offsets.count }
  /// How many images there are.
  public var itemCount: Int { isBlank.count }

  public func batch(_ index: Int) throws(ImageError) -> NDArray<Float> {
    try batches.batch(index)
  }

  /// Takes the model's answer to the next batch.
  ///
  /// - Parameter heads: the two of ``SpotApplication/outputs`` in their order, each `[tile, row, column, 2]`.
  /// - Throws: ``ImageError`` when there are others, or one does not fit what was sent.
  public mutating func accept(_ heads: [AnyNDArray]) throws(ImageError) {
    guard heads.count == SpotApplication.outputs.count else {
      throw ImageError(
        .unexpectedModelOutput,
        "spots are made from \(SpotApplication.outputs.count) outputs, not \(heads.count)")
    }
    for head in heads { try batches.requireTiles(in: head, after: answeredTiles) }
    try scores.add(heads[0].asFloat, channel: Self.spotClass)
    try offsets.add(heads[1].asFloat)
  }

  /// Turns the model's answers into coordinates.
  ///
  /// - Parameter progress: called after each item with the number of items done.
  /// - Returns: for each item `[spot, 2]`, see
  ///   ``spotCoordinates(scores:offsets:threshold:minimumDistance:)``.
  /// - Throws: ``ImageError`` when answers are missing or not finite; `CancellationError` between the
  ///   items.
  public func spots(progress: (_ items: Int) -> Void = { _ in }) throws -> [NDArray<Double>] {
    let scores = try scores.finished()
    let offsets = try offsets.finished()
    return try isBlank.indices.map { item in
      try Task.checkCancellation()
      defer { progress(item + 1) }
      if isBlank[item] { return NDArray(shape: [0, 2]) }
      return try blamingModel {
        try spotCoordinates(
          scores: scores.slice(item).channel(0), offsets: offsets.slice(item),
          threshold: application.threshold, minimumDistance: application.minimumDistance)
      }
    }
  }
}
