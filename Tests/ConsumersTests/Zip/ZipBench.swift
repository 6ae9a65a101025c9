import Arrays
import Consumers
import Foundation
import ImageFiles
import JobQueue
import RedisClient
import Serving
import TestSupport
import Testing

/// The consumer of archives, and beside it one for the images in them.
final class ZipBench: Sendable {
  let harness: ConsumerHarness
  var redis: RedisClient { harness.redis }

  /// Where archives wait; images wait in ``ConsumerHarness/queue``.
  static let list = "predict-zip"

  init(
    models: any PredictBackend = NoModels(), uploads: ResultUploads = ResultUploads(),
    change: (inout ConsumerSettings) -> Void = { _ in }
  ) throws {
    harness = try ConsumerHarness(models: models, uploads: uploads, change: change)
  }

  /// - Parameter images: nil: nobody works on the images.
  func withServices(
    images: Consumer.Type? = PartConsumer.self, slots: Int = 3, _ body: () async throws -> Void
  ) async throws {
    try await harness.withService(try #require(consumers["zip"]), on: Self.list) { _ in
      guard let images else { return try await body() }
      try await harness.withService(images, on: ConsumerHarness.queue, slots: slots) { _ in
        try await body()
      }
    }
    #expect(try harness.leftovers.isEmpty)
  }

  func submit(
    _ members: [ZipBytes.Member], name: String = "plate.zip", fields: [String: String] = [:]
  ) async throws -> String {
    try await submit(ZipBytes(members).bytes, name: name, fields: fields)
  }

  func submit(
    _ bytes: [UInt8], name: String = "plate.zip", fields: [String: String] = [:]
  ) async throws -> String {
    try await harness.submit(Data(bytes), name: name, fields: fields)
  }

  /// Waits until an archive's jobs are made, and returns their keys in order.
  func children(of key: String) async throws -> [String] {
    try await eventually("\(key) waits for its parts") { [harness] in
      try await harness.fields(key)["status"] == "waiting"
    }
    return try await keys("children", of: key)
  }

  func keys(_ field: String, of key: String) async throws -> [String] {
    (try await harness.fields(key)[field] ?? "").split(separator: ",").map(String.init)
  }

  /// The queue as an operator's tool sees it.
  func tool(_ queue: String = list) -> JobQueue {
    JobQueue(name: queue, worker: "tool", redis: redis, settings: harness.context.queue.settings)
  }

  /// The files of a job's result, in order.
  func result(of fields: [String: String]) throws -> [(name: String, bytes: [UInt8])] {
    let output = try #require(fields["output_file_name"], "\(fields["reason"] ?? "no reason")")
    let reader = try ZipReader(
      path: harness.store.file(output), name: "the result", selection: .all)
    return try reader.members.map { ($0.name, try reader.bytes(of: $0, limit: .max)) }
  }

  /// What there is in a folder of the bucket, folders too.
  func objects(_ folder: String = "output") -> [String] {
    let found = FileManager.default.enumerator(atPath: harness.store.file(folder))?.allObjects
    return ((found as? [String]) ?? []).sorted()
  }

  /// A field that is encoded as forms are, by its names.
  static func decodeForm(_ text: String?) throws -> [String: String] {
    let pairs = (text ?? "").split(separator: "&").map { pair in
      pair.split(separator: "=", omittingEmptySubsequences: false).map {
        $0.replacing("+", with: " ").removingPercentEncoding
      }
    }
    return try Dictionary(
      uniqueKeysWithValues: pairs.map { (try #require($0[0]), try #require($0[1])) })
  }
}

/// Does something with a file as its name says: `fail`, `hang`, or gives back what it holds.
final class PartConsumer: TensorFlowServingConsumer {
  override func consume(_ job: Job) async throws -> JobStatus {
    let redis = try #require(RedisServer.connection)
    try await redis.command("INCR", "runs \(job.originalName)")
    let content = try Data(contentsOf: await download(job.inputFileName))
    if job.originalName.contains("fail") {
      throw JobError(.invalidInput, "\(job.originalName) is no image")
    }
    if job.originalName.contains("hang") { try await Task.sleep(for: .seconds(3600)) }
    let pixels = NDArray(shape: [1, max(content.count, 1)], elements: content.map(Float.init))
    let stored = try await upload(zip(saveArray(pixels, name: job.originalName)))
    try await updateKey(
      job,
      [
        Field.outputFileName: stored.key, Field.outputURL: stored.url,
        Field.predictionTime: "0.\(content.count)",
      ])
    return .done
  }
}
