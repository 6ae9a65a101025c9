import Arrays
import ImageAlgorithms
import JobQueue
import Serving

/// Jobs that name their model and what is done before and after it.
extension ImageConsumer {
  /// One result: an array of labels, or of what the model gave where nothing is to be done after
  /// it.
  func run(
    _ named: NamedModelRequest, on image: NDArray<Float>, job: Job, request: ImageRequest
  ) async throws -> [Result] {
    let client = getPredictClient(named.model)
    let (input, shape) = try await client.imageInput()
    let channels = try channels(of: image, job: job, modelChannels: shape[3])
    let scale = try await scale(of: channels.channel(0), job: job, request: request)
    var prepared = try stage(.preprocess) {
      try named.application.start(
        channels, scale: scale, modelShape: shape, batchSize: batchSize(shape))
    }
    try await enter(.predicting, of: job)
    try await predict(&prepared, with: client, as: input, arrange: Self.predictions)
    try await enter(.postProcessing, of: job)
    let result = try stage(.postprocess) {
      try prepared.result {
        run.setProgress(.postprocess, Double($0) / Double(prepared.itemCount))
      }
    }
    let array =
      switch result {
      case .labels(let labels): AnyNDArray(labels)
      case .maps(let maps): AnyNDArray(maps)
      }
    // A single image has no pages.
    guard array.shape[0] == 1 else { return [Result(array: array)] }
    return [Result(array: try array.reshaped(to: Array(array.shape.dropFirst())))]
  }

  /// Those outputs that are called `prediction...`, or all of a model that has none, by name.
  @Sendable private static func predictions(_ outputs: [String: AnyNDArray]) -> [AnyNDArray] {
    let named = outputs.filter { $0.key.hasPrefix("prediction") }
    return (named.isEmpty ? outputs : named).sorted { $0.key < $1.key }.map(\.value)
  }

  /// The channels that the model is given: those the job selects, else the first ones of the image.
  private func channels(
    of image: NDArray<Float>, job: Job, modelChannels: Int
  ) throws -> NDArray<Float> {
    let available = image.shape[3]
    let needed = modelChannels < 0 ? available : modelChannels
    guard let text = job.channels else {
      guard needed <= available else {
        throw JobError(
          .invalidInput,
          "the model takes \(needed)-channel images, but this is a \(available)-channel image")
      }
      return image.selectingChannels(Array(0..<needed))
    }
    let channels = try ChannelSelection.parse(
      text, channelCount: available, applicationCount: .max
    ).map(\.channel)
    guard modelChannels < 0 || channels.count == needed else {
      throw JobError(
        .invalidInput,
        "the model takes \(needed)-channel images, but channels \"\(text)\" selects "
          + "\(channels.count)")
    }
    return image.selectingChannels(channels)
  }
}
