import Arrays

/// One image on its way through a ``SegmentationApplication``.
///
/// Each of the model's answers is used up at once, so that a run never holds more than the image and two
/// maps of its size.
public struct SegmentationRun: LabellingRun {
  private let application: SegmentationApplication
  private let originalShape: Shape
  private let batches: TileBatches
  private var maxima: Untiler
  private var interior: Untiler

  init(application: SegmentationApplication, originalShape: Shape, batches: TileBatches) {
    self.application = application
    self.originalShape = originalShape
    self.batches = batches
    maxima = Untiler(batches.tiling)
    interior = Untiler(batches.tiling)
  }

  public var tileCount: Int { batches.tiling.count }
  public var batchCount: Int { batches.count }
  public var answeredTiles: Int { interior.count }
  /// How many images are segmented.
  public var itemCount: Int { originalShape[0] }

  public func batch(_ index: Int) throws(ImageError) -> NDArray<Float> {
    try batches.batch(index)
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
    for head in [first, last] { try batches.requireTiles(in: head, after: answeredTiles) }
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
        let labels = try blamingModel {
          try deepWatershed(
            maxima: maxima.slice(item..<item + 1), interior: interior.slice(item..<item + 1),
            parameters: application.postprocessing)
        }
        try resizedLabels(labels, rows: rows, columns: columns).withUnsafeBuffer {
          _ = output[(item * size)...].update(fromContentsOf: $0)
        }
        progress(item + 1)
      }
    }
  }
}
