import Arrays
import ImageAlgorithms
import JobQueue
import Serving

/// What models find out about an image before its cells are looked for. Both are off by default, and
/// then no model is asked, not even for its metadata.
extension ImageConsumer {
  /// The scale of an image: what the job says, else what is detected, else 1; written to the job.
  ///
  /// - Parameter plane: `[batch, row, column]`, the channel to look at.
  func scale(of plane: NDArray<Float>, job: Job, request: ImageRequest) async throws -> Double {
    if let scale = request.scale { return scale }
    guard let model = context.settings.scaleDetectionModel else {
      try await updateKey(job, [Field.scale: "1"])
      return 1
    }
    let scale = try await detect(in: plane, with: model, valueCount: 1).scale()
    let limits = context.settings.imageLimits.scale
    guard limits.contains(scale) else {
      throw JobError(
        .invalidInput,
        "the model \(model) finds that the image's scale is \(scale), which is not from "
          + "\(limits.shortText); set scale")
    }
    try await updateKey(job, [Field.scale: scale == 1 ? "1" : "\(scale)"])
    return scale
  }

  /// Which application an image is for, by what it shows.
  ///
  /// - Parameter plane: `[batch, row, column]`, the channel to look at.
  func detectLabel(in plane: NDArray<Float>, model: ModelName) async throws -> Int {
    try await detect(in: plane, with: model, valueCount: 3).label()
  }

  private func detect(
    in plane: NDArray<Float>, with model: ModelName, valueCount: Int
  ) async throws -> DetectionRun {
    try await stage(.preprocess) {
      let client = getPredictClient(model)
      let (input, shape) = try await client.imageInput(channelCount: 1)
      var detection = try DetectionRun(
        plane.expandingDimensions(at: 3), modelShape: shape, batchSize: batchSize(shape),
        valueCount: valueCount)
      try await detection.predict(concurrentCalls: context.settings.maximumCallsInFlight) { batch in
        try await client.predict(batch, as: input).sorted { $0.key < $1.key }.map(\.value)
      }
      return detection
    }
  }
}
