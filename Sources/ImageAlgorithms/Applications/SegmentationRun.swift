import Arrays

/// One image on its way through a ``SegmentationApplication``.
///
/// Batches of tiles may be asked for in any order and more than one at a time; the model's answers
/// are given back in the order of the batches. Each is used up at once, so that a run never
/// holds more than the image and two maps of its size.
public struct SegmentationRun: Sendable {
  private let application: SegmentationApplication
  private let originalShape: Shape
  private let image: NDArray<Float>
  private let tiling: Tiling
  private let batchSize: Int
  private var maxima: Untiler
  private var interior: Untiler

  init(
    application: SegmentationApplication, originalShape: Shape, image: NDArray<Float>,
    tiling: Tiling, batchSize: Int
  ) {
    self.application = application
    self.originalShape = originalShape
    self.image = image
    self.tiling = tiling
    self.batchSize = batchSize
    maxima = Untiler(tiling)
    interior = Untiler(tiling)
  }

  /// How many tiles the model is to see.
  public var tileCount: Int { tiling.count }
  /// How many calls that takes.
  public var batchCount: Int { (tiling.count + batchSize - 1) / batchSize }
  /// How many tiles have been answered.
  public var answeredTiles: Int { interior.count }
  /// How many images are segmented.
  public var itemCount: Int { originalShape[0] }

  /// The input of one call of the model.
  ///
  /// - Returns: `[tile, row, column, channel]` in memory of its own.
  /// - Throws: ``ImageError`` never for a batch of this run.
  public func batch(_ index: Int) throws(ImageError) -> NDArray<Float> {
    precondition((0..<batchCount).contains(index), "no batch \(index)")
    let start = index * batchSize
    return try tiling.tiles(start..<min(start + batchSize, tiling.count), of: image)
  }

  /// Takes the model's answer to the next batch.
  ///
  /// - Parameter heads: the outputs in the order of their names, each `[tile, row, column, channel]`.
  ///   Of the first and the last one channel 0 is read, all others may be left out.
  /// - Throws: ``ImageError`` when there is no output, or one does not fit what was sent.
  public mutating func accept(_ heads: [AnyNDArray]) throws(ImageError) {
    guard let first = heads.first, let last = heads.last else {
      throw ImageError(.unexpectedModelOutput, "the model answered no output")
    }
    let expected = min(batchSize, tiling.count - answeredTiles)
    for head in [first, last] where head.rank == 0 || head.shape[0] != expected {
      throw ImageError(
        .unexpectedModelOutput,
        "the model answered an array of shape \(head.shape.tupleDescription) to a batch of "
          + "\(expected) tiles")
    }
    try maxima.add(first.asFloat)
    try interior.add(last.asFloat)
  }

  /// Turns the model's answers into labels.
  ///
  /// - Parameter progress: called after each item with the number of items done.
  /// - Returns: `[batch, row, column, 1]` at the size of the image given; 0 is background, labels are
  ///   1... per item.
  /// - Throws: ``ImageError`` when answers are missing or not finite; `CancellationError` between the
  ///   steps.
  public func labels(progress: (_ items: Int) -> Void = { _ in }) throws -> NDArray<Int32> {
    let maxima = try maxima.finished()
    let interior = try interior.finished()
    let (rows, columns) = (originalShape[1], originalShape[2])
    let size = rows * columns
    return try NDArray(uninitialized: [itemCount, rows, columns, 1]) { output in
      for item in 0..<itemCount {
        let labels = try objects(
          maxima: maxima.slice(item..<item + 1), interior: interior.slice(item..<item + 1))
        try resizedLabels(labels, rows: rows, columns: columns).withUnsafeBuffer {
          _ = output[(item * size)...].update(fromContentsOf: $0)
        }
        progress(item + 1)
      }
    }
  }

  private func objects(
    maxima: NDArray<Float>, interior: NDArray<Float>
  ) throws -> NDArray<Int32> {
    do {
      return try deepWatershed(
        maxima: maxima, interior: interior, parameters: application.postprocessing)
    } catch let error as ImageError where error.code == .notFinite {
      // The image was finite: it is the model that answered this.
      throw ImageError(
        .unexpectedModelOutput,
        "the model answered values that are not a number (NaN) or infinite")
    }
  }
}
