import Arrays
import FoundationEssentials
import ImageAlgorithms
import JobQueue
import Serving

/// Labels the cells of one image.
///
/// A job that names its model gets that model and the processing it names
/// (`ImageConsumer+NamedModel.swift`). Any other gets the models of the settings
/// (`ImageConsumer+Slots.swift`): nuclei, whole cells or cells in phase contrast, each selected by a
/// slot of the job's `channels` and found in a channel of its own.
///
/// - Source: the segmentation consumer of kiosk-redis-consumer 0.17.2; for jobs that name their model
///   the image consumer of its releases up to 0.8.4.
final class ImageConsumer: TensorFlowServingConsumer {
  override func consume(_ job: Job) async throws -> JobStatus {
    let request = try ImageRequest(job, context: context)
    let pixels = try decode(await download(job.inputFileName))
    let ordered = try batchRowColumnChannel(pixels, order: job.dimensionOrder ?? "")
    let image = ordered.image
    try await enter(.preProcessing, of: job)
    try context.settings.imageLimits.check(image.shape)
    if job.dimensionOrder == nil { try await updateKey(job, [Field.dimOrder: ordered.order]) }

    let results =
      if let named = request.namedModel {
        try await run(named, on: image, job: job, request: request)
      } else {
        try await runSlots(on: image, job: job, request: request)
      }

    try await enter(.savingResults, of: job)
    var files: [URL] = []
    for result in results {
      files += try saveArray(result.array, name: job.originalName, suffix: result.suffix)
    }
    return try await deliver(files, of: job)
  }

  /// An array to be saved, one file a channel.
  struct Result {
    /// `[..., row, column, channel]`
    let array: AnyNDArray
    /// Put behind the image's name.
    var suffix = ""
  }
}
