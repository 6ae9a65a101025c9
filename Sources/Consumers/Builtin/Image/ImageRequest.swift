import ImageAlgorithms
import JobQueue
import Serving

/// What a job asks of the ``ImageConsumer``. All that can be said against its fields is said before
/// anything is done for it.
struct ImageRequest {
  /// How much smaller the model's pixels are than the image's; nil: to be detected, or 1.
  let scale: Double?
  /// What the image shows, as the position of an application; nil: not said.
  let label: Int?
  /// The model the job names itself; nil for those of the settings.
  let namedModel: NamedModelRequest?

  /// - Throws: ``JobError`` or an error of a library that names the field that cannot be used.
  init(_ job: Job, context: ConsumerContext) throws {
    let limits = context.settings.imageLimits
    try job.requireImage(queue: context.queue.name)
    try job.requireDimensionOrder()
    try job.requireResultName(suffix: "_batch_\(max(limits.frames - 1, 0))")
    scale = try job.scale(in: limits.scale)
    namedModel = try NamedModelRequest(job)
    // Only where it decides: other jobs may carry whatever their producer means by it.
    let decides = namedModel == nil && job.channels == nil
    label = decides ? try job[Field.label].map(Self.application) : nil
  }

  private static func application(_ text: String) throws -> Int {
    guard let label = Int(text), (0...2).contains(label) else {
      throw invalid(
        "label \"\(text.forReason)\" is none of 0 (nuclei), 1 (cells) and 2 (cells in phase "
          + "contrast); leave it empty or choose one")
    }
    return label
  }

  private static func invalid(_ message: String) -> JobError { JobError(.invalidInput, message) }
}
