import Arrays
import Consumers
import ImageAlgorithms
import JobQueue

/// Labels each pixel with the class that the model gives it.
final class PixelClassConsumer: TensorFlowServingConsumer {
  override func consume(_ job: Job) async throws -> JobStatus {
    let image = try await decode(download(job.inputFileName))
    let scores = try await grpcImage(image.expandingDimensions(at: 2), model: "Pixelwise:1")
    let classes = try argmax(scores, axis: 3)

    let files = try await saveArray(classes.slice(0), name: job.originalName)
    let stored = try await upload(zip(files))
    try await updateKey(
      job, [Field.outputFileName: stored.key, Field.outputURL: stored.url])
    return .done
  }
}
