import Arrays
import FoundationEssentials
import ImageAlgorithms
import JobQueue
import Serving

/// Labels the cells of one image: nuclei, whole cells or cells in phase contrast, each selected by a
/// slot of the job's `channels` and found in a channel of its own.
///
/// - Source: the segmentation consumer of kiosk-redis-consumer 0.17.2, for jobs that name no model.
final class ImageConsumer: TensorFlowServingConsumer {
  override func consume(_ job: Job) async throws -> JobStatus {
    let scale = try ImageJobChecks(job, context: context).checkedScale()
    let pixels = try await decode(download(job.inputFileName))
    let ordered = try batchRowColumnChannel(pixels, order: job.dimensionOrder ?? "")
    try await updateKey(
      job,
      [
        Field.status: JobStatus.preProcessing.rawValue,
        Field.downloadTime: seconds(in: .download),
      ])
    try context.settings.imageLimits.check(ordered.image.shape)
    try await updateKey(job, [Field.scale: job.scale ?? "1"])
    if job.dimensionOrder == nil { try await updateKey(job, [Field.dimOrder: ordered.order]) }

    let labels = try await segment(ordered.image, job: job, scale: scale)

    try await updateKey(job, [Field.status: JobStatus.savingResults.rawValue])
    let stored = try await upload(zip(save(labels, of: job)))
    try await updateKey(
      job,
      [
        Field.outputFileName: stored.key, Field.outputURL: stored.url,
        Field.uploadTime: seconds(in: .upload),
      ])
    return .done
  }

  /// What a slot of the job's `channels` runs.
  private struct Slot {
    let application: SegmentationApplication
    let model: ModelName
  }

  private var slots: [Slot] {
    let settings = context.settings
    return [
      Slot(application: .nuclear, model: settings.nuclearModel),
      Slot(application: .cytoplasm, model: settings.cytoplasmModel),
      Slot(application: .cytoplasm, model: settings.phaseModel),
    ]
  }

  /// The labels of all selected channels: `[batch, row, column, selection]`.
  ///
  /// All models are called before the first labels are made, so that the job's status never goes
  /// back.
  private func segment(
    _ image: NDArray<Float>, job: Job, scale: Double
  ) async throws -> NDArray<Int32> {
    let selections = try ChannelSelection.parse(
      job.channels ?? "", channelCount: image.shape[3], applicationCount: slots.count)
    var runs: [SegmentationRun] = []
    for (index, selection) in selections.enumerated() {
      let slot = slots[selection.application]
      let share = Share(index: index, of: selections.count)
      let client = getPredictClient(slot.model)
      let input = try await client.imageInput()
      var prepared = try await stage(.preprocess) {
        try slot.application.start(
          image.channel(selection.channel).expandingDimensions(at: 3), scale: scale,
          modelShape: input.shape, batchSize: batchSize(input.shape))
      }
      if index == 0 {
        try await updateKey(job, [Field.status: JobStatus.predicting.rawValue])
      }
      try await stage(.predict) {
        try await prepared.predict(concurrentCalls: context.settings.maximumCallsInFlight) {
          run.setProgress(.predict, share.overall(Double($0) / Double($1)))
        } model: { batch in
          try await client.predict([input.name: batch], outputs: .firstAndLast)
            .sorted { $0.key < $1.key }.map(\.value)
        }
      }
      runs.append(prepared)
    }

    try await updateKey(
      job,
      [
        Field.status: JobStatus.postProcessing.rawValue,
        Field.predictionTime: seconds(in: .predict),
      ])
    let labels = try await stage(.postprocess) {
      try runs.enumerated().map { index, prepared in
        let share = Share(index: index, of: runs.count)
        return try prepared.labels { done in
          run.setProgress(.postprocess, share.overall(Double(done) / Double(prepared.itemCount)))
        }
      }
    }
    try await updateKey(job, [Field.postprocessTime: seconds(in: .postprocess)])
    return try stacked(labels)
  }

  private func batchSize(_ shape: Shape) -> Int {
    modelBatchSize(
      modelShapes: [shape], maximumBatchSize: context.settings.maximumBatchSize,
      minimumModelSize: context.settings.minimumModelSize)
  }

  /// One file per image of the batch and selected channel.
  private func save(_ labels: NDArray<Int32>, of job: Job) async throws -> [URL] {
    var files: [URL] = []
    for item in 0..<labels.shape[0] {
      files += try await saveArray(
        labels.slice(item), name: job.originalName, suffix: "_batch_\(item)")
    }
    return files
  }

  private func seconds(in stage: JobStage) -> String {
    (run.durations[stage] ?? .zero).secondsText
  }

  /// `[batch, row, column, 1]` each as `[batch, row, column, array]`.
  private func stacked(_ arrays: [NDArray<Int32>]) throws -> NDArray<Int32> {
    guard arrays.count > 1 else { return arrays[0] }
    return NDArray(uninitialized: arrays[0].shape.dropLast() + [arrays.count]) { output in
      for (channel, array) in arrays.enumerated() {
        array.withUnsafeBuffer { input in
          for i in input.indices { output[i * arrays.count + channel] = input[i] }
        }
      }
    }
  }
}

/// A part of equal parts, for progress.
private struct Share {
  let index: Int
  let count: Int

  init(index: Int, of count: Int) {
    self.index = index
    self.count = count
  }

  func overall(_ fraction: Double) -> Double { (Double(index) + fraction) / Double(count) }
}
