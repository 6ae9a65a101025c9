import Arrays

/// One image on its way through a ``ComposedApplication``.
///
/// Each of the model's answers is used up at once, so that a run never holds more than the image and maps of
/// its size, one for each channel of each output.
public struct ComposedRun: LabellingRun {
  private let application: ComposedApplication
  private let originalShape: Shape
  private let batches: TileBatches
  /// One for each output; none before the first answer.
  private var heads: [Untiler] = []

  init(application: ComposedApplication, originalShape: Shape, batches: TileBatches) {
    self.application = application
    self.originalShape = originalShape
    self.batches = batches
  }

  public var tileCount: Int { batches.tiling.count }
  public var batchCount: Int { batches.count }
  public var answeredTiles: Int { heads.last?.count ?? 0 }
  /// How many images there are.
  public var itemCount: Int { originalShape[0] }

  public func batch(_ index: Int) throws(ImageError) -> NDArray<Float> {
    try batches.batch(index)
  }

  /// Takes the model's answer to the next batch.
  ///
  /// - Parameter answers: the outputs in the order of their names, each `[tile, row, column, channel]`
  ///   with the rows and columns of the tiles sent.
  /// - Throws: ``ImageError`` when there is no output, one does not fit what was sent, or there are
  ///   other outputs than before.
  public mutating func accept(_ answers: [AnyNDArray]) throws(ImageError) {
    let channels = try answers.map { answer throws(ImageError) in
      try batches.requireTiles(in: answer, after: answeredTiles)
      guard answer.rank == 4, answer.shape[3] > 0 else {
        throw ImageError(
          .unexpectedModelOutput,
          "the model answered an array of shape \(answer.shape.tupleDescription), not one with the "
            + "axes (tile, row, column, channel)")
      }
      return answer.shape[3]
    }
    if answeredTiles == 0 { heads = try untilers(channels: channels) }
    guard channels == heads.map(\.channels) else {
      throw ImageError(
        .unexpectedModelOutput,
        "the model answered outputs of \(channels) channels after outputs of "
          + "\(heads.map(\.channels)) channels")
    }
    for (index, answer) in answers.enumerated() { try heads[index].add(answer.asFloat) }
  }

  private func untilers(channels: [Int]) throws(ImageError) -> [Untiler] {
    guard !channels.isEmpty else {
      throw ImageError(.unexpectedModelOutput, "the model answered no output")
    }
    let tiling = batches.tiling
    let pixels = Double(tiling.batch) * Double(tiling.rows.length) * Double(tiling.columns.length)
    let values = pixels * channels.reduce(0.0) { $0 + Double($1) }
    guard values <= Double(application.maximumOutputValues) else {
      throw ImageError(
        .tooLarge,
        "\(tiling.batch) images of \(tiling.rows.length) x \(tiling.columns.length) pixels with "
          + "outputs of \(channels) channels have more than "
          + "\(application.maximumOutputValues) values; send fewer images at a time")
    }
    return channels.map { Untiler(tiling, channels: $0) }
  }

  /// Turns the model's answers into the job's result.
  ///
  /// - Parameter progress: called after each item with the number of items done.
  /// - Returns: `[batch, row, column, channel]` at the size of the image given; labels are 1... per item.
  /// - Throws: ``ImageError`` when answers are missing or the post-processing cannot use them;
  ///   `CancellationError` between the steps.
  public func result(
    progress: (_ items: Int) -> Void = { _ in }
  ) throws -> NamedPostprocessing.Result {
    guard !heads.isEmpty else {
      throw ImageError(
        .unexpectedModelOutput, "the model answered none of the \(tileCount) tiles it was sent")
    }
    let maps = try heads.map { head throws(ImageError) in try head.finished() }
    let (rows, columns) = (originalShape[1], originalShape[2])
    var labels: [NDArray<Int32>] = []
    var outputs: [NDArray<Float>] = []
    for item in 0..<itemCount {
      try Task.checkCancellation()
      let result = try blamingModel {
        try application.postprocessing.apply(to: maps.map { $0.slice(item..<item + 1) })
      }
      switch result {
      case .labels(let made):
        labels.append(try resizedLabels(made, rows: rows, columns: columns))
      case .maps(let made):
        outputs.append(try resizedNearest(made, rows: rows, columns: columns))
      }
      progress(item + 1)
    }
    return labels.isEmpty
      ? .maps(try .concatenated(outputs)) : .labels(try .concatenated(labels))
  }
}
