import Arrays
import ImageAlgorithms
import Serving

extension TensorFlowServingConsumer {
  /// Runs a model that has one input on an image.
  ///
  /// An image that is larger or smaller than a model of fixed size is cut into overlapping tiles, and
  /// the answers are blended; a model of any size is sent the image as it is.
  ///
  /// - Parameters:
  ///   - image: the axes that the model takes, such as `[batch, row, column, channel]`; where it has
  ///     fewer, a batch in front and one channel at the end are added.
  ///   - model: written as `NuclearSegmentation:6`.
  ///   - output: name of the wanted one; nil for the first by name.
  /// - Returns: that output, axes as the model gives them, `[batch, ...]`; rows and columns of the
  ///   image where it was cut into tiles.
  /// - Throws: ``ServingError``, ``ImageError`` when an answer does not fit its tiles, ``JobError`` when
  ///   the model has other inputs or not that output.
  public func grpcImage(
    _ image: NDArray<Float>, model: String, output: String? = nil
  ) async throws -> NDArray<Float> {
    try await stage(.predict) {
      let client = try getPredictClient(model)
      let input = try await client.singleInput()
      let image = image.addingAxes(upTo: input.shape?.count ?? 0)
      guard let shape = input.shape, shape.count == 4, image.rank == 4, !shape.fits(image.shape)
      else { return try await client.predict(image, as: input, output: output) }
      return try await predictTiles(of: image, shape: shape) { tiles in
        try await client.predict(tiles, as: input, output: output)
      }
    }
  }

  /// Calls a model of the input `shape` on one batch of tiles after the other.
  private func predictTiles(
    of image: NDArray<Float>, shape: Shape,
    model: (NDArray<Float>) async throws -> NDArray<Float>
  ) async throws -> NDArray<Float> {
    let tiling = try Tiling(shape: image.shape, modelRows: shape[1], modelColumns: shape[2])
    let batchSize = modelBatchSize(
      modelShapes: [shape], maximumBatchSize: context.settings.maximumBatchSize,
      minimumModelSize: context.settings.minimumModelSize)
    var whole: Untiler?
    for start in stride(from: 0, to: tiling.count, by: batchSize) {
      try Task.checkCancellation()
      let range = start..<min(start + batchSize, tiling.count)
      let tiles = try tiling.tiles(range, of: image)
      let answer = try await model(tiles)
      guard answer.rank == 4, answer.shape[..<3] == tiles.shape[..<3], answer.shape[3] > 0 else {
        throw ImageError(
          .unexpectedModelOutput,
          "the model answered an array of shape \(answer.shape.tupleDescription) to tiles of shape "
            + "\(tiles.shape.tupleDescription), which cannot be put together to an image")
      }
      if whole == nil { whole = Untiler(tiling, channels: answer.shape[3]) }
      try whole?.add(answer)
      run.setProgress(.predict, Double(range.upperBound) / Double(tiling.count))
    }
    guard let whole else { return NDArray(shape: image.shape) }  // of no images
    return try whole.finished()
  }
}

extension PredictClient {
  /// The output of the name given, or the first by name.
  fileprivate func predict(
    _ images: NDArray<Float>, as input: Input, output: String?
  ) async throws -> NDArray<Float> {
    let outputs = try await predict(images, as: input, outputs: output.map { .named([$0]) } ?? .all)
    guard let name = output ?? outputs.keys.min(), let wanted = outputs[name] else {
      throw JobError(
        .predictInvalid,
        "the model \(model) answered without \(output.map { "the output \"\($0)\"" } ?? "any output")"
      )
    }
    return wanted.asFloat
  }
}

extension Shape {
  /// Whether an image of this shape can be sent to a model of that one as it is.
  fileprivate func fits(_ image: Shape) -> Bool {
    (1...2).allSatisfy { self[$0] < 1 || self[$0] == image[$0] }
  }
}

extension NDArray {
  /// `[row, column]` as `[batch, row, column, channel]`, or fewer axes added.
  fileprivate func addingAxes(upTo rank: Int) -> NDArray {
    var array = self
    if array.rank < rank { array = array.expandingDimensions(at: 0) }
    if array.rank < rank { array = array.expandingDimensions(at: array.rank) }
    return array
  }
}
