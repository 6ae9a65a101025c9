import Arrays
import Buckets
import ConsumerTestSupport
import Consumers
import Foundation
import JobQueue
import Logging
import MetricsTestKit
import RedisClient
import Serving
import TestSupport
import Testing

/// Everything around a consumer: the test's own Redis, a folder bucket and models.
final class ConsumerHarness: Sendable {
  let redis: RedisClient
  let store: TemporaryFolder
  let work: TemporaryFolder
  let context: ConsumerContext
  let metrics = TestMetrics()
  /// What was logged.
  let log = LogLines()

  static let queue = "predict"

  /// - Parameter redis: nil for the server of the test.
  init(
    redis: RedisClient? = nil, models: any PredictBackend = NoModels(), worker: String = "pod-1",
    delivery: DeliverySettings = DeliverySettings(
      heartbeatInterval: .milliseconds(100), reapInterval: .milliseconds(200),
      retries: RetrySchedule(base: .milliseconds(50))),
    uploads: ResultUploads = ResultUploads(),
    change: (inout ConsumerSettings) -> Void = { _ in }
  ) throws {
    self.redis = try redis ?? #require(RedisServer.connection)
    store = try TemporaryFolder()
    work = try TemporaryFolder()
    var settings = ConsumerSettings()
    change(&settings)
    let logger = Logger(label: "test") { [log] _ in log.handler }
    context = ConsumerContext(
      queue: JobQueue(name: Self.queue, worker: worker, redis: self.redis, settings: delivery),
      bucket: try FolderBucket(path: store.path), models: models, settings: settings,
      uploads: uploads, workFolder: try WorkFolder(in: work.path, logger: logger), logger: logger,
      metrics: metrics)
  }

  /// Submits a job on an object that is put into the bucket first.
  func submit(
    _ input: Data? = nil, name: String = "a.tif", fields: [String: String] = [:],
    _ delivery: DeliveryOptions = DeliveryOptions()
  ) async throws -> String {
    if let input {
      let file = URL(filePath: store.file("uploads/\(name)"))
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try input.write(to: file)
    }
    var submission = JobSubmission(
      queue: Self.queue, originalName: name, inputFileName: "uploads/\(name)", fields: fields)
    submission.delivery = delivery
    return try await submission.submit(to: redis, submitter: "test")
  }

  func fields(_ key: String) async throws -> [String: String] {
    try await redis.command("HGETALL", key).decode()
  }

  func list(_ key: String) async throws -> [String] {
    try await redis.command("LRANGE", key, 0, -1).decode()
  }

  var processing: String { "processing-predict:pod-1" }

  /// Runs a service while `body` runs, then drains it.
  ///
  /// - Parameters:
  ///   - queue: another than ``queue``, served by a worker of its own.
  ///   - bucket: another than the harness's folder.
  func withService(
    _ type: Consumer.Type, on queue: String? = nil, slots: Int = 1,
    options: ServiceOptions = ServiceOptions(), bucket: (any Bucket)? = nil,
    _ body: (ConsumerService) async throws -> Void
  ) async throws {
    var context = context
    if let queue {
      context.queue = JobQueue(
        name: queue, worker: "pod-of-\(queue)", redis: redis, settings: context.queue.settings)
    }
    if let bucket { context.bucket = bucket }
    let service = ConsumerService(type, context: context, slotCount: slots, options: options)
    try await withThrowingTaskGroup { group in
      group.addTask {
        try await within(.seconds(60), "the service's end") { await service.run() }
      }
      defer { service.stop() }
      try await body(service)
      service.drain()
      try await group.waitForAll()
    }
  }

  /// Waits until a job has ended and returns its fields.
  func end(of key: String) async throws -> [String: String] {
    try await eventually("\(key) has ended") { [self] in
      ["done", "failed"].contains(try await fields(key)["status"])
    }
    return try await fields(key)
  }

  /// Files that jobs left behind.
  var leftovers: [String] {
    get throws {
      try FileManager.default.subpathsOfDirectory(atPath: context.workFolder.url.path)
        .filter { $0 != ".lock" }
    }
  }
}

/// A model server without models.
struct NoModels: PredictBackend {
  func metadata(of model: ModelName, context: CallContext) async throws -> ModelMetadata {
    throw ServingError(
      code: .notFound, operation: .metadata, model: model, message: "Servable not found")
  }

  func predict(
    model: ModelName, inputs: [String: AnyNDArray], outputs: OutputSelection, context: CallContext
  ) async throws -> [String: AnyNDArray] {
    throw ServingError(
      code: .notFound, operation: .predict, model: model, message: "Servable not found")
  }
}
