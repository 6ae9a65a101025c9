import RedisConsumer

/// Labels the nuclei of one image and counts them.
final class NucleiConsumer: TensorFlowServingConsumer {
  private let model = "NuclearSegmentation:6"

  override func consume(_ job: Job) async throws -> JobStatus {
    let pixels = try decode(await download(job.inputFileName))
    let image = try batchRowColumnChannel(pixels, order: job.dimensionOrder ?? "").image
    guard image.shape[0] == 1, image.shape[3] == 1 else {
      throw JobError(.invalidInput, "\(job.originalName) is not one image of one channel")
    }

    let interior = try await grpcImage(
      histogramNormalization(image), model: model, output: "semantic_1")
    let mask = interior.slice(0).channel(0).map { $0 > 0.1 }
    let nuclei = try connectedComponents(mask, connectivity: .four)

    let files = try saveArray(nuclei.labels, name: job.originalName)
    let uploaded = try await upload(zip(files))
    try await updateKey(
      job,
      [
        "nuclei": String(nuclei.count),
        "output_file_name": uploaded.key, "output_url": uploaded.url,
      ])
    return .done
  }
}
