import Arrays
import Consumers
import Foundation
import ImageAlgorithms
import ImageFiles
import JobQueue
import RedisClient
import Serving
import TestSupport
import Testing

/// The consumer of movies, and beside it one for their frames.
final class TrackingBench: Sendable {
  let harness: ConsumerHarness
  let models: PositionModels

  /// Where the jobs of frames wait.
  static let frameQueue = "frames"

  init(
    _ fault: PositionModels.Fault? = nil, change: (inout ConsumerSettings) -> Void = { _ in }
  ) throws {
    models = try PositionModels(fault)
    harness = try ConsumerHarness(models: models.client) { settings in
      settings.segmentationQueue = Self.frameQueue
      change(&settings)
    }
  }

  /// - Parameter frames: nil: nobody works on the frames.
  func withServices(
    type: String = "tracking", frames: Consumer.Type? = FrameConsumer.self, slots: Int = 3,
    _ body: () async throws -> Void
  ) async throws {
    try await harness.withService(try #require(consumers[type])) { _ in
      guard let frames else { return try await body() }
      try await harness.withService(frames, on: Self.frameQueue, slots: slots) { _ in
        try await body()
      }
    }
    #expect(try harness.leftovers.isEmpty)
  }

  /// Does a job to its end.
  func run(
    _ input: Data, name: String = "movie.tif", fields: [String: String] = [:],
    type: String = "tracking", frames: Consumer.Type? = FrameConsumer.self
  ) async throws -> [String: String] {
    let key = try await harness.submit(input, name: name, fields: fields)
    var end: [String: String] = [:]
    try await withServices(type: type, frames: frames) { end = try await harness.end(of: key) }
    return end
  }

  /// Waits until the jobs of a movie's frames are made, and returns their keys in order.
  func children(of key: String) async throws -> [String] {
    try await eventually("\(key) waits for its frames") { [harness] in
      try await harness.fields(key)["status"] == "waiting"
    }
    return try await harness.fields(key)["children"].map {
      $0.split(separator: ",").map(String.init)
    } ?? []
  }

  /// What a job's progress was, one after the other, before and after it waited for others.
  func progress(of key: String) async throws -> (waiting: [Int], working: [Int]) {
    let queue = Keys.events(of: ConsumerHarness.queue)
    let entries = try await harness.redis.command("XRANGE", queue, "-", "+").array ?? []
    let events: [[String: String]] = try entries.map { try #require($0.array?.last).decode() }
    let parts = events.filter { $0["job"] == key }.split { $0["event"] == "unparked" }
    try #require(parts.count == 2)
    // What was said before it had children does not count.
    let waiting = parts[0].drop { $0["event"] != "waiting" }
    return (
      waiting.compactMap { $0["progress"].flatMap { Int($0) } },
      parts[1].compactMap { $0["progress"].flatMap { Int($0) } }
    )
  }

  /// The queue as an operator's tool sees it.
  func tool(_ queue: String = ConsumerHarness.queue) -> JobQueue {
    JobQueue(
      name: queue, worker: "tool", redis: harness.redis, settings: harness.context.queue.settings)
  }

  /// The files of a job's result.
  func files(of fields: [String: String]) throws -> [(name: String, bytes: [UInt8])] {
    let output = try #require(fields["output_file_name"], "\(fields["reason"] ?? "no reason")")
    let reader = try ZipReader(path: harness.store.file(output), name: "the result")
    return try reader.members.map { ($0.name, try reader.bytes(of: $0, limit: .max)) }
  }

  func file(_ name: String, of fields: [String: String]) throws -> [UInt8] {
    try #require(try files(of: fields).first { $0.name == name }).bytes
  }

  func labels(_ name: String, of fields: [String: String]) throws -> NDArray<Int32> {
    try ImageFile.decode(file(name, of: fields), name: name).pixels.converted(to: Int32.self)
  }

  /// Files in the bucket's results.
  func objects() -> [String] {
    let found = FileManager.default.enumerator(atPath: harness.store.file("output"))?.allObjects
    return ((found as? [String]) ?? []).filter { $0.contains(".") }.sorted()
  }
}

/// Labels the discs of a frame; what a frame's number says happens to it instead.
final class FrameConsumer: TensorFlowServingConsumer {
  override func consume(_ job: Job) async throws -> JobStatus {
    #expect(job.channels == "0,," && job.dimensionOrder == "XY" && job[Field.url] != nil)
    let redis = try #require(RedisServer.connection)
    try await redis.command("INCR", "runs \(job.originalName)")
    let image = try decode(await download(job.inputFileName))
    let fault = try await redis.command("GET", "fault").string
    if job.originalName.hasSuffix("-2.tif") {
      switch fault {
      case "fail": throw JobError(.invalidInput, "the frame is blurred")
      case "hang": try await Task.sleep(for: .seconds(3600))
      case "small": return try await finish(NDArray(shape: [3, 3]), job)
      case "no labels": return try await finish(nil, job)
      default: break
      }
    }
    let labels = try connectedComponents(image.map { $0 > 500 }, connectivity: .four).labels
    return try await finish(labels, job)
  }

  private func finish(_ labels: NDArray<Int32>?, _ job: Job) async throws -> JobStatus {
    let files = try labels.map {
      try saveArray($0, name: job.originalName, suffix: "_batch_0")
    }
    let stored = try await upload(zip(files ?? []))
    try await updateKey(
      job, [Field.outputFileName: stored.key, Field.outputURL: stored.url])
    return .done
  }
}
