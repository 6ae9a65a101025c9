import Arrays
import ImageAlgorithms
import JobQueue
import Serving

/// Jobs that leave the models to the settings: one model for each slot of `channels`.
extension ImageConsumer {
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

  /// Labels all selected channels, one result an image of the batch.
  ///
  /// All models are called before the first labels are made, so that the job's status never goes
  /// back.
  func runSlots(
    on image: NDArray<Float>, job: Job, request: ImageRequest
  ) async throws -> [Result] {
    let selections = try await selections(in: image, job: job, request: request)
    let scale = try await scale(
      of: image.channel(selections[0].channel), job: job, request: request)
    var runs: [SegmentationRun] = []
    for (index, selection) in selections.enumerated() {
      let slot = slots[selection.application]
      let client = getPredictClient(slot.model)
      let (input, shape) = try await client.imageInput(channelCount: 1)
      var prepared = try stage(.preprocess) {
        try slot.application.start(
          image.channel(selection.channel).expandingDimensions(at: 3), scale: scale,
          modelShape: shape, batchSize: batchSize(shape))
      }
      if index == 0 { try await enter(.predicting, of: job) }
      try await predict(
        &prepared, with: client, as: input, outputs: .firstAndLast,
        share: Share(index: index, of: selections.count))
      runs.append(prepared)
    }

    try await enter(.postProcessing, of: job)
    let labels = try stage(.postprocess) {
      try runs.enumerated().map { index, prepared in
        let share = Share(index: index, of: runs.count)
        return try prepared.labels { done in
          run.setProgress(.postprocess, share.overall(done, of: prepared.itemCount))
        }
      }
    }
    return (0..<image.shape[0]).map { item in
      Result(array: AnyNDArray(stacked(labels.map { $0.slice(item) })), suffix: "_batch_\(item)")
    }
  }

  /// The channels to be labelled. Where the job selects none it is channel 0, labelled as what it
  /// shows.
  private func selections(
    in image: NDArray<Float>, job: Job, request: ImageRequest
  ) async throws -> [ChannelSelection] {
    let selections = try ChannelSelection.parse(
      job.channels ?? "", channelCount: image.shape[3], applicationCount: slots.count)
    guard job.channels == nil else { return selections }
    let label: Int
    if let known = request.label {
      label = known
    } else if let model = context.settings.labelDetectionModel {
      label = try await detectLabel(in: image.channel(0), model: model)
      try await updateKey(job, [Field.label: String(label)])
    } else {
      return selections
    }
    return [ChannelSelection(application: label, channel: 0)]
  }

  /// `[row, column, 1]` each as `[row, column, array]`.
  private func stacked(_ arrays: [NDArray<Int32>]) -> NDArray<Int32> {
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
