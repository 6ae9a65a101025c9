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
    try await updateKey(
      job,
      [
        Field.status: JobStatus.preProcessing.rawValue,
        Field.downloadTime: seconds(in: .download),
      ])
    try context.settings.imageLimits.check(image.shape)
    if job.dimensionOrder == nil { try await updateKey(job, [Field.dimOrder: ordered.order]) }

    let results =
      if let named = request.namedModel {
        try await run(named, on: image, job: job, request: request)
      } else {
        try await runSlots(on: image, job: job, request: request)
      }

    try await updateKey(job, [Field.status: JobStatus.savingResults.rawValue])
    var files: [URL] = []
    for result in results {
      files += try saveArray(result.array, name: job.originalName, suffix: result.suffix)
    }
    let stored = try await upload(zip(files))
    try await updateKey(
      job,
      [
        Field.outputFileName: stored.key, Field.outputURL: stored.url,
        Field.uploadTime: seconds(in: .upload),
      ])
    return .done
  }

  /// An array to be saved, one file a channel.
  struct Result {
    /// `[..., row, column, channel]`
    let array: AnyNDArray
    /// Put behind the image's name.
    var suffix = ""
  }

  func batchSize(_ shape: Shape) -> Int {
    modelBatchSize(
      modelShapes: [shape], maximumBatchSize: context.settings.maximumBatchSize,
      minimumModelSize: context.settings.minimumModelSize)
  }

  func seconds(in stage: JobStage) -> String {
    (run.durations[stage] ?? .zero).secondsText
  }
}
