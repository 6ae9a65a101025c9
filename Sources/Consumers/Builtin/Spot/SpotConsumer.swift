import Arrays
import FoundationEssentials
import ImageAlgorithms
import ImageFiles
import JobQueue
import Previews
import Serving

/// Finds spots, such as single molecules of RNA, in fractions of a pixel.
///
/// The result has two files for each frame: `<name>_<frame>.npy`, the spots' coordinates, and
/// `<name>_<frame>.tif`, a picture of the frame with its spots.
///
/// - Source: the spot consumer of kiosk-redis-consumer 0.17.2. It fails where a frame has no spot; here
///   that is an array without rows.
final class SpotConsumer: TensorFlowServingConsumer {
  override func consume(_ job: Job) async throws -> JobStatus {
    try job.requireImage(queue: context.queue.name)
    try job.requireResultName()
    // What a polaris job says of the images that it sends.
    let isStack = job.dimensionOrder == "BXY"
    let image = try Self.frames(
      of: decode(await download(job.inputFileName)), areFirst: isStack)
    try await enter(.preProcessing, of: job)
    try context.settings.imageLimits.check(image.shape)
    try await updateKey(
      job, [Field.dimOrder: detectDimensionOrder(shape: image.shape, modelRank: 4)])
    let client = getPredictClient(context.settings.spotModel)
    let (input, shape) = try await client.imageInput(channelCount: 1)

    var prepared = try stage(.preprocess) {
      try context.settings.spots.start(image, modelShape: shape, batchSize: batchSize(shape))
    }
    try await enter(.predicting, of: job)
    try await predict(
      &prepared, with: client, as: input, outputs: .named(Set(SpotApplication.outputs))
    ) { outputs in
      SpotApplication.outputs.compactMap { outputs[$0] }
    }
    try await enter(.postProcessing, of: job)
    let spots = try stage(.postprocess) {
      try prepared.spots {
        run.setProgress(.postprocess, Double($0) / Double(prepared.itemCount))
      }
    }
    try await enter(.savingResults, of: job)
    return try await deliver(save(spots, of: image, name: job.originalName), of: job)
  }

  /// The frames of an image: `[frame, row, column, 1]`.
  ///
  /// - Parameters:
  ///   - pixels: as in the file; axes of length 1 do not count. Of three axes the last is the frames' if it
  ///     is shorter than the second, else the first.
  ///   - areFirst: whether the first axis is the frames', whatever its length.
  private static func frames(of pixels: NDArray<Float>, areFirst: Bool) throws -> NDArray<Float> {
    if areFirst, pixels.rank == 3 { return pixels.expandingDimensions(at: 3) }
    let image = pixels.squeezed()
    switch image.rank {
    case 2: return image.expandingDimensions(at: 0).expandingDimensions(at: 3)
    case 3:
      let isLast = image.shape[2] < image.shape[1]
      return (isLast ? image.movingAxis(2, to: 0) : image).expandingDimensions(at: 3)
    default:
      throw JobError(
        .invalidInput,
        "the image has shape \(pixels.shape.tupleDescription); an image of spots has rows and columns, "
          + "and a stack of them frames")
    }
  }

  private func save(
    _ spots: [NDArray<Double>], of image: NDArray<Float>, name: String
  ) throws -> [URL] {
    let name = Self.withoutExtension(name)
    return try spots.enumerated().flatMap { frame, spots in
      let picture = try stage(.encode) {
        try PictureTIFF.encode(SpotPicture.draw(spots, over: image.slice(frame).channel(0)))
      }
      return [
        try saveFile(picture, name: "\(name)_\(frame).tif"),
        try saveFile(NPYEncoder.encode(spots), name: "\(name)_\(frame).npy"),
      ]
    }
  }
}
