import Arrays
import Consumers
import Foundation
import ImageFiles
import ModelServing
import RedisClient
import Serving
import Synchronization
import TestSupport
import Testing

/// A service with two slots: one works on a good job, held at its model, the other on a bad one.
final class BadInputBench: Sendable {
  let harness: ConsumerHarness
  private let kind: JobKind
  private let good: ModelServerHost
  private let other: ModelServerHost
  private let hostile: HostileServer?
  private let models: RoutedModels
  private let isHeld: Watched<Bool>
  /// Whether the good job's call has come to its model.
  private let hasArrived: Watched<Bool>

  static let goodKey = "predict:good.tif:1"

  init(_ row: BadInput? = nil, _ kind: JobKind = .image) async throws {
    let isHeld = Watched(true)
    let hasArrived = Watched(false)
    self.isHeld = isHeld
    self.hasArrived = hasArrived
    self.kind = row?.kind ?? kind
    good = try ModelServerHost { call in
      if case .predict = call.request {
        await hasArrived.update { $0 = true }
        // Ends early when the caller goes away.
        _ = try? await isHeld.wait { !$0 }
      }
      return JobKind.models.answer(call.request)
    }
    other = try ModelServerHost { call in JobKind.models.answer(call.request) }
    hostile =
      if let peer = row?.peer { try await HostileServer(peer) } else { nil }
    models = RoutedModels(
      good: BrightModels.client(of: good),
      others: hostile?.client { row?.serving(&$0) } ?? BrightModels.client(of: other))
    harness = try ConsumerHarness(models: models) { row?.settings(&$0) }
    try put(self.kind.tiff, at: "uploads/good.tif")
  }

  func put(_ bytes: [UInt8], at key: String) throws {
    let file = URL(filePath: harness.store.file(key))
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: file)
  }

  /// Runs `body` while the good job is in work, then sees the good job done, with the right pixels,
  /// and nothing left but it, its result and `keys`.
  func besideGoodJob(
    leaving keys: [String], results: Int = 1, _ body: () async throws -> Void
  ) async throws {
    let job = JobFields(
      kind.fields.merging([
        "input_file_name": "uploads/good.tif", "original_name": "good.tif",
      ]) { $1 })
    try await job.submit(Array(Self.goodKey.utf8), to: ConsumerHarness.queue, harness.redis)
    let type = try #require(consumers[kind.type])
    try await harness.withService(type, slots: 2) { _ in
      _ = try await within(.seconds(60), "the good job's call") { [hasArrived] in
        try await hasArrived.wait { $0 }
      }
      models.leaveGoodJob()
      try await body()
      #expect(try await harness.fields(Self.goodKey)["status"] == "predicting")
      #expect(try await harness.list(harness.processing) == [Self.goodKey])
      #expect(try await harness.list(ConsumerHarness.queue) == [])
      await isHeld.update { $0 = false }
      let fields = try await harness.end(of: Self.goodKey)
      #expect(fields["status"] == "done", "\(fields["reason"] ?? "")")
      let images = try self.results(of: fields)
      let expected = try await kind.results()
      #expect(images.keys.sorted() == (expected.keys + kind.pictures).sorted())
      for (name, array) in expected { #expect(images[name]?.elements == array.elements) }
      #expect(expected.values.allSatisfy { $0.elements.contains { $0 > 0 } })
    }
    #expect(try await harness.list(harness.processing) == [])
    #expect(try harness.leftovers == [])
    let left: [[UInt8]] = try await harness.redis.command("KEYS", "*").decode()
    // What the queue keeps of its own expires or has a bound; its own tests see to that.
    let others = left.map { String(decoding: $0, as: UTF8.self) }.filter { !$0.hasPrefix("kiosk:") }
    #expect(Set(others) == Set(keys + [Self.goodKey]))
    let output = harness.store.file("output")
    #expect(try FileManager.default.contentsOfDirectory(atPath: output).count == results)
  }

  /// The images of a job's result by their names.
  func results(of fields: [String: String]) throws -> [String: NDArray<Float>] {
    let archive = harness.store.file(try #require(fields["output_file_name"]))
    let reader = try ZipReader(path: archive, name: "output.zip")
    var images: [String: NDArray<Float>] = [:]
    for member in reader.members {
      let bytes = try reader.bytes(of: member, limit: member.size)
      images[member.name] = try ImageFile.decode(bytes, name: member.name).pixels.asFloat
    }
    return images
  }
}

/// Two model servers: the job that is to go on unharmed has one of its own, to which its call has gone
/// when the others come.
final class RoutedModels: PredictBackend {
  private let good: ServingClient
  private let others: ServingClient
  private let isLeft = Mutex(false)

  init(good: ServingClient, others: ServingClient) {
    self.good = good
    self.others = others
  }

  /// Sends what comes from now on to the other server.
  func leaveGoodJob() { isLeft.withLock { $0 = true } }

  private var server: ServingClient { isLeft.withLock { $0 } ? others : good }

  func metadata(of model: ModelName, context: CallContext) async throws -> ModelMetadata {
    try await server.metadata(of: model, context: context)
  }

  func predict(
    model: ModelName, inputs: [String: AnyNDArray], outputs: OutputSelection, context: CallContext
  ) async throws -> [String: AnyNDArray] {
    try await server.predict(model: model, inputs: inputs, outputs: outputs, context: context)
  }
}
