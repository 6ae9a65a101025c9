import Arrays
import ImageAlgorithms
import JobQueue
import Serving

/// The models that follow cells.
extension TrackingConsumer {
  /// Which output of the encoder, by the order of their names, is the embeddings: the first one gives the
  /// centroids back.
  private static let embeddingOutput = 1

  private var encoder: PredictClient { getPredictClient(context.settings.encoderModel) }
  private var tracker: PredictClient { getPredictClient(context.settings.trackingModel) }

  /// Refuses models that cannot be used, before anything is done for the job.
  func requireModels() async throws {
    let sizes = try await encoder.inputs(CellDescriptions.inputs, for: "describe cells")
    _ = try await tracker.inputs(TrackComparison.inputs, for: "compare tracks with cells")
    let size = context.settings.tracking.appearance.size
    if let shape = sizes[CellDescriptions.appearanceInput]?.shape, shape.count == 5,
      shape[2...3].contains(where: { $0 > 0 && $0 != size })
    {
      throw JobError(
        .unsupportedModel,
        "the model \(encoder.model) takes pictures of cells of \(shape[2]) x \(shape[3]) pixels, not of "
          + "\(size) x \(size); set APPEARANCE_DIM")
    }
  }

  /// Follows the cells of a movie.
  func follow(_ movie: Movie, _ job: Job) async throws -> TrackedMovie {
    try await requireModels()
    var cells = try stage(.preprocess) {
      try CellTracker(
        raw: movie.raw, labels: movie.labels, parameters: context.settings.tracking)
    }
    try await updateKey(job, [Field.downloadTime: seconds(in: .download)])
    try await enter(.predicting, of: job)
    let frames = cells.frameCount
    try await stage(.predict) {
      let (encoder, tracker) = (encoder, tracker)
      try await cells.describe {
        run.setProgress(.predict, Share(index: 0, of: 2).overall($0, of: frames))
      } model: { sent in
        try await encoder.output(Self.embeddingOutput, of: 2, for: sent.named)
      }
      try await cells.link {
        run.setProgress(.predict, Share(index: 1, of: 2).overall($0, of: frames))
      } model: { sent in
        try await tracker.output(0, of: 1, for: sent.named)
      }
    }
    try await enter(.postProcessing, of: job)
    return try stage(.postprocess) { cells.result() }
  }
}

extension CellDescriptions {
  fileprivate static let appearanceInput = "encoder_app_input"
  fileprivate static let inputs = [
    appearanceInput, "encoder_morph_input", "encoder_centroid_input", "encoder_adj_input",
  ]

  fileprivate var named: [String: NDArray<Float>] {
    Dictionary(
      uniqueKeysWithValues: Swift.zip(
        Self.inputs, [appearances, morphologies, centroids, adjacency]))
  }
}

extension TrackComparison {
  fileprivate static let inputs = [
    "current_embeddings", "current_centroids", "future_embeddings", "future_centroids",
  ]

  fileprivate var named: [String: NDArray<Float>] {
    Dictionary(
      uniqueKeysWithValues: Swift.zip(
        Self.inputs, [currentEmbeddings, currentCentroids, futureEmbeddings, futureCentroids]))
  }
}

extension PredictClient {
  /// The inputs of a model that takes several.
  ///
  /// - Parameter purpose: for messages.
  /// - Throws: ``JobError`` `unsupportedModel` when it has others.
  func inputs(_ names: [String], for purpose: String) async throws -> [String: Input] {
    let inputs = try await metadata().inputs
    guard Set(inputs.keys) == Set(names) else {
      throw JobError(
        .unsupportedModel,
        "the model \(model) takes \(inputs.keys.sorted().prefix(5).joined(separator: ", ")) where "
          + "models that \(purpose) take \(names.joined(separator: ", ")); choose another model")
    }
    return inputs.reduce(into: [:]) { found, input in
      found[input.key] = Input(name: input.key, shape: input.value.shape, type: input.value.type)
    }
  }

  /// One of a model's outputs.
  ///
  /// - Parameters:
  ///   - index: by the order of their names.
  ///   - count: how many it has.
  func output(
    _ index: Int, of count: Int, for arrays: [String: NDArray<Float>]
  ) async throws -> NDArray<Float> {
    let outputs = try await predict(arrays)
    guard outputs.count == count else {
      throw JobError(
        .predictInvalid,
        "the model \(model) answered \(outputs.count) outputs, not \(count); check that the server has "
          + "the model this job needs")
    }
    return outputs.sorted { $0.key < $1.key }[index].value.asFloat
  }
}
