import Arrays
import ImageAlgorithms
import JobQueue
import Serving

/// Labels whole cells, nuclei or both in images of a nuclear and a membrane channel.
///
/// - Source: the mesmer consumer of kiosk-redis-consumer 0.17.2. Stacks of several frames fail there;
///   here the frames are labelled one by one and become the pages of the result.
final class MesmerConsumer: TensorFlowServingConsumer {
  override func consume(_ job: Job) async throws -> JobStatus {
    let request = try MesmerRequest(job, context: context)
    let pixels = try decode(await download(job.inputFileName))
    try await enter(.preProcessing, of: job)
    if request.scale == nil { try await updateKey(job, [Field.scale: "1"]) }
    let client = getPredictClient(context.settings.mesmerModel)
    let (input, shape) = try await client.imageInput(channelCount: MesmerInput.channelCount)
    let found = try MesmerInput(pixels, channels: request.channels, queue: context.queue.name)
    try await updateKey(job, [Field.dimOrder: found.order])
    let image = try found.image(limits: context.settings.imageLimits)

    let application = MesmerApplication(
      postprocessing: MesmerPostprocessing(compartment: request.compartment))
    var prepared = try stage(.preprocess) {
      try application.start(
        image, scale: request.scale ?? 1, modelShape: shape, batchSize: batchSize(shape))
    }
    try await enter(.predicting, of: job)
    try await predict(&prepared, with: client, as: input)
    try await enter(.postProcessing, of: job)
    let labels = try stage(.postprocess) {
      try prepared.labels {
        run.setProgress(.postprocess, Double($0) / Double(prepared.itemCount))
      }
    }
    try await enter(.savingResults, of: job)
    return try await deliver(saveArray(labels, name: job.originalName), of: job)
  }
}

/// What a job asks of the ``MesmerConsumer``.
private struct MesmerRequest {
  /// How much smaller the model's pixels are than the image's; nil: not said.
  let scale: Double?
  /// The nuclear and the membrane channel; nil: those that the image has.
  let channels: [Int]?
  let compartment: MesmerPostprocessing.Compartment

  /// - Throws: ``JobError`` or an error of a library that names the field that cannot be used.
  init(_ job: Job, context: ConsumerContext) throws {
    try job.requireImage(queue: context.queue.name)
    try job.requireResultName()
    scale = try job.scale(in: context.settings.imageLimits.scale)
    channels = try job.channels.flatMap(Self.channels)
    compartment =
      try job[Field.compartment].map(Self.compartment) ?? context.settings.mesmerCompartment
  }

  /// Empty entries, as front ends write for what is not selected, are passed over.
  private static func channels(_ text: String) throws -> [Int]? {
    let channels = try text.split(separator: ",").map { $0.filter { !$0.isWhitespace } }
      .filter { !$0.isEmpty }
      .map { entry in
        guard let channel = Int(entry), channel >= 0 else {
          throw JobError(
            .invalidInput,
            "channels: \"\(String(entry).forReason)\" is not a channel number; write the numbers of the "
              + "nuclear and the membrane channel, counted from 0, such as \"0,1\"")
        }
        return channel
      }
    return channels.isEmpty ? nil : channels
  }

  private static func compartment(_ text: String) throws -> MesmerPostprocessing.Compartment {
    guard let compartment = MesmerPostprocessing.Compartment(rawValue: text) else {
      let known = MesmerPostprocessing.Compartment.allCases.map(\.rawValue)
      throw JobError(
        .invalidInput,
        "compartment \"\(text.forReason)\" is none of \(known.joined(separator: ", "))")
    }
    return compartment
  }
}
