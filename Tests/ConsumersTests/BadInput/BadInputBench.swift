import Arrays
import Consumers
import Foundation
import ImageAlgorithms
import ImageFiles
import ModelServing
import RedisClient
import Serving
import TestSupport
import Testing

/// A service with two slots: one works on a good job, held at its model, the other on a bad one.
final class BadInputBench: Sendable {
  let harness: ConsumerHarness
  private let good: ModelServerHost
  private let hostile: HostileServer?
  private let isHeld: Watched<Bool>

  static let goodKey = "predict:good.tif:1"

  init(_ row: BadInput? = nil) async throws {
    let isHeld = Watched(true)
    self.isHeld = isHeld
    good = try ModelServerHost { call in
      if case .predict(let call) = call.request, call.model.name == "PhaseCytoSegmentation" {
        // Ends early when the caller goes away.
        _ = try? await isHeld.wait { !$0 }
      }
      return SimpleModel.answer(call.request)
    }
    hostile = if let peer = row?.peer { try await HostileServer(peer) } else { nil }
    let models = RoutedModels(
      good: ThresholdModels.client(of: good),
      hostile: hostile?.client { row?.serving(&$0) })
    harness = try ConsumerHarness(models: models) { row?.settings(&$0) }
    try put(TestImage.tiff(TestImage.cells), at: "uploads/good.tif")
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
    let job = JobFields([
      "channels": ",,0", "input_file_name": "uploads/good.tif", "original_name": "good.tif",
    ])
    try await job.submit(Array(Self.goodKey.utf8), to: ConsumerHarness.queue, harness.redis)
    let type = try #require(consumers["image"])
    try await harness.withService(type, slots: 2) { _ in
      try await eventually("the good job is at its model") { [harness] in
        try await harness.fields(Self.goodKey)["status"] == "predicting"
      }
      try await body()
      #expect(try await harness.fields(Self.goodKey)["status"] == "predicting")
      #expect(try await harness.list(harness.processing) == [Self.goodKey])
      #expect(try await harness.list(ConsumerHarness.queue) == [])
      await isHeld.update { $0 = false }
      let fields = try await harness.end(of: Self.goodKey)
      #expect(fields["status"] == "done", "\(fields["reason"] ?? "")")
      let images = try self.results(of: fields)
      #expect(images.mapValues(\.elements) == ["good_batch_0_feature_0.tif": try await Self.labels])
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

  /// What the good job must give.
  static var labels: [Float] {
    get async throws { try await computed.value.elements.map(Float.init) }
  }

  private static let computed = Task {
    let image = TestImage.cells.expandingDimensions(at: 0).expandingDimensions(at: 3)
    return try await SegmentationApplication.cytoplasm.labels(
      of: image, modelShape: SimpleModel.shape, batchSize: 4
    ) { SimpleModel.heads(of: $0) }
  }
}

/// A model of this test: both heads are the image where it is bright.
enum SimpleModel {
  static let shape = [-1, 32, 32, 1]

  static func heads(of image: NDArray<Float>) -> [AnyNDArray] {
    let bright = AnyNDArray(image.map { $0 > 0.6 ? $0 : 0 })
    return [bright, bright]
  }

  static func tensor(_ shape: [Int]? = shape, type: TensorType = TensorType(.float32))
    -> ModelMetadata.Tensor
  {
    ModelMetadata.Tensor(graphName: "serving_default_input_0:0", type: type, shape: shape)
  }

  static func answer(_ request: ModelServerCall.Request) -> ModelServerReply {
    switch request {
    case .metadata(let model):
      guard let version = ThresholdModels.names[model.name], model.version ?? version == version
      else {
        return .failure(.notFound, "Servable not found for request: Specific(\(model))")
      }
      return .metadata(
        ModelMetadata(inputs: ["input_0": tensor()], outputs: ["semantic": tensor()]),
        model: ModelSelection(name: model.name, version: version))
    case .predict(let call):
      guard let image = call.inputs["input_0"]?.typed(as: Float.self) else {
        return .failure(.invalidArgument, "input_0 is missing")
      }
      let heads = heads(of: image)
      return .outputs(
        ["semantic": heads[0], "semantic_1": heads[1]], model: call.model, encoding: .typed)
    default: return .failure(.unimplemented, "not here")
    }
  }
}

/// Two model servers: the job that is to go on unharmed has one of its own.
struct RoutedModels: PredictBackend {
  let good: ServingClient
  let hostile: ServingClient?

  private func server(of model: ModelName) -> ServingClient {
    guard let hostile, model.name != "PhaseCytoSegmentation" else { return good }
    return hostile
  }

  func metadata(of model: ModelName, context: CallContext) async throws -> ModelMetadata {
    try await server(of: model).metadata(of: model, context: context)
  }

  func predict(
    model: ModelName, inputs: [String: AnyNDArray], outputs: OutputSelection, context: CallContext
  ) async throws -> [String: AnyNDArray] {
    try await server(of: model).predict(
      model: model, inputs: inputs, outputs: outputs, context: context)
  }
}
