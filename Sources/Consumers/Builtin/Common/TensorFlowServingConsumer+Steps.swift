import Arrays
import Buckets
import FoundationEssentials
import ImageAlgorithms
import JobQueue
import Serving

/// What the built-in consumers of images do alike.
extension TensorFlowServingConsumer {
  /// Writes a status, with the time of what came before it.
  func enter(_ status: JobStatus, of job: Job) async throws {
    var fields = [Field.status: status.rawValue]
    switch status {
    case .preProcessing: fields[Field.downloadTime] = seconds(in: .download)
    case .postProcessing: fields[Field.predictionTime] = seconds(in: .predict)
    case .savingResults: fields[Field.postprocessTime] = seconds(in: .postprocess)
    default: break
    }
    try await updateKey(job, fields)
  }

  func seconds(in stage: JobStage) -> String {
    (run.durations[stage] ?? .zero).secondsText
  }

  /// Has a model answer all that a run asks it.
  ///
  /// - Parameters:
  ///   - share: of the stage, for its progress.
  ///   - arrange: makes of the outputs by name what the run takes.
  func predict(
    _ prepared: inout some ModelRun, with client: PredictClient, as input: PredictClient.Input,
    outputs: OutputSelection = .all, share: Share = .whole,
    arrange: @escaping @Sendable ([String: AnyNDArray]) -> [AnyNDArray] = { outputs in
      outputs.sorted { $0.key < $1.key }.map(\.value)
    }
  ) async throws {
    try await stage(.predict) {
      try await prepared.predict(concurrentCalls: context.settings.maximumCallsInFlight) {
        run.setProgress(.predict, share.overall($0, of: $1))
      } model: { batch in
        arrange(try await client.predict(batch, as: input, outputs: outputs))
      }
    }
  }

  /// How many tiles a model of this input is sent at a time.
  func batchSize(_ shape: Shape) -> Int {
    modelBatchSize(
      modelShapes: [shape], maximumBatchSize: context.settings.maximumBatchSize,
      minimumModelSize: context.settings.minimumModelSize)
  }

  /// Uploads the job's results and tells where they are.
  ///
  /// - Returns: that the job is done.
  func deliver(_ files: [URL], of job: Job) async throws -> JobStatus {
    try await tell(upload(zip(files)), of: job)
  }

  /// Tells where the result is that has been uploaded.
  ///
  /// - Returns: that the job is done.
  func tell(_ stored: StoredObject, of job: Job) async throws -> JobStatus {
    try await updateKey(
      job,
      [
        Field.outputFileName: stored.key, Field.outputURL: stored.url,
        Field.uploadTime: seconds(in: .upload),
      ])
    return .done
  }
}

/// A part of equal parts, for progress.
struct Share {
  let index: Int
  let count: Int

  init(index: Int, of count: Int) {
    self.index = index
    self.count = count
  }

  static let whole = Share(index: 0, of: 1)

  /// What `done` of `total` within this part are of the whole.
  func overall(_ done: Int, of total: Int) -> Double {
    (Double(index) + Double(done) / Double(total)) / Double(count)
  }
}
