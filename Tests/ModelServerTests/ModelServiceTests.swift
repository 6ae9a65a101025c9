import Arrays
import CTensorFlowServing
import Foundation
import TestSupport
import Testing

@testable import ClassicalModels
@testable import ModelServing
@testable import Serving

/// What TensorFlow Serving answers, word by word.
@Suite(.computing) struct ModelServiceTests {
  private let tile = AnyNDArray(NDArray<Float>(shape: [1, 256, 256, 1]))

  private func service(_ change: (inout ModelService) -> Void = { _ in }) -> ModelService {
    var service = ModelService(workers: TileWorkers(threads: 1, limit: 4))
    change(&service)
    return service
  }

  private func ask(
    _ request: ModelServerCall.Request, of service: ModelService
  ) async throws -> ModelServerReply {
    try await service.answer(
      ModelServerCall(
        method: "/package.Service/Method", request: request, headers: [:], timeLeft: .seconds(60),
        wire: WireMessage(bytes: [])))
  }

  private func predict(
    _ inputs: [String: AnyNDArray], name: String = "NuclearSegmentation", version: Int? = 6,
    signature: String = "", outputs: [String] = []
  ) -> ModelServerCall.Request {
    .predict(
      PredictCall(
        model: ModelSelection(name: name, version: version), signature: signature, inputs: inputs,
        outputFilter: outputs))
  }

  private func expect(
    _ request: ModelServerCall.Request, of service: ModelService? = nil, _ code: StatusCode,
    _ text: String, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let reply = try await ask(request, of: service ?? self.service())
    guard case .failure(let gotCode, let gotText) = reply else {
      Issue.record("\(reply)", sourceLocation: sourceLocation)
      return
    }
    #expect(gotCode == code, sourceLocation: sourceLocation)
    #expect(gotText == text, sourceLocation: sourceLocation)
  }

  @Test func `unknown models are not found`() async throws {
    try await expect(
      predict(["input_0": tile], version: 99), .notFound,
      "Servable not found for request: Specific(NuclearSegmentation, 99)")
    try await expect(
      predict(["input_0": tile], name: "X", version: nil), .notFound,
      "Servable not found for request: Latest(X)")
    try await expect(
      .metadata(ModelSelection(name: "X", version: 1)), .notFound,
      "Servable not found for request: Specific(X, 1)")
    try await expect(
      predict([:], name: "", version: nil), .invalidArgument, "ModelSpec has no name specified.")
    try await expect(
      .status(ModelSelection(name: "X", version: nil)), .notFound,
      "Could not find any versions of model X")
    try await expect(
      .status(ModelSelection(name: "NuclearSegmentation", version: 2)), .notFound,
      "Could not find version 2 of model NuclearSegmentation")
  }

  @Test func `inputs that do not fit are refused`() async throws {
    try await expect(
      predict(["input_0": tile], signature: "other"), .failedPrecondition,
      "Serving signature key \"other\" not found.")
    try await expect(
      predict([:]), .invalidArgument,
      "input size does not match signature: 0!=1 len({}) != len({input_0}). Sent extra: {}. "
        + "Missing but required: {input_0}.")
    try await expect(
      predict(["input_0": tile, "b": tile, "a": tile]), .invalidArgument,
      "input size does not match signature: 3!=1 len({a,b,input_0}) != len({input_0}). "
        + "Sent extra: {a,b}. Missing but required: {}.")
    try await expect(
      predict(["image": tile]), .invalidArgument,
      "input tensor alias not found in signature: image. Inputs expected to be in the set {input_0}."
    )
    try await expect(
      predict(["input_0": AnyNDArray(NDArray<Double>(shape: [1, 256, 256, 1]))]), .invalidArgument,
      "Expects arg[0] to be float but double is provided")
    for shape in [[256, 256, 1], [1, 255, 256, 1], [1, 256, 256, 2], []] {
      try await expect(
        predict(["input_0": AnyNDArray(NDArray<Float>(shape: shape))]), .invalidArgument,
        "input input_0 has the shape \(shape.tupleDescription), which does not match the model's "
          + "(-1, 256, 256, 1)")
    }
  }

  /// Of two inputs with an open extent, and two outputs.
  private let twoInputs = ClassicalModel(
    "Two", version: 3, about: "sums and differences",
    inputs: [.init(name: "a", extents: [-1]), .init(name: "b", extents: [-1])],
    outputs: [.init(name: "sum", extents: [-1]), .init(name: "first", extents: [1])]
  ) { inputs in
    [combined(inputs[0], inputs[1]) { $0 + $1 }, inputs[0].slice(0..<1)]
  }

  @Test func `a model has the inputs and outputs of its signature`() async throws {
    let service = service { $0.models = [twoInputs] }
    func array(_ shape: [Int], _ start: Int) -> AnyNDArray {
      let count = shape.reduce(1, *)
      return AnyNDArray(
        NDArray<Float>(shape: shape, elements: (start..<start + count).map { Float($0) }))
    }
    let (a, b) = (array([2, 3], 0), array([2, 3], 100))
    guard
      case .outputs(let outputs, _, _) = try await ask(
        predict(["a": a, "b": b], name: "Two", version: 3), of: service)
    else {
      Issue.record("refused")
      return
    }
    #expect(outputs["sum"]?.shape == [2, 3])
    #expect(outputs["sum"]?.asFloat.elements == [100, 102, 104, 106, 108, 110])
    #expect(outputs["first"]?.asFloat.elements == [0, 3])

    try await expect(
      predict(["a": a, "c": b], name: "Two", version: 3), of: service, .invalidArgument,
      "input tensor alias not found in signature: c. Inputs expected to be in the set {a,b}.")
    try await expect(
      predict(["a": a], name: "Two", version: 3), of: service, .invalidArgument,
      "input size does not match signature: 1!=2 len({a}) != len({a,b}). Sent extra: {}. "
        + "Missing but required: {b}.")
    try await expect(
      predict(["a": a, "b": AnyNDArray(NDArray<Int32>(shape: [2, 3]))], name: "Two", version: 3),
      of: service, .invalidArgument, "Expects arg[1] to be float but int32 is provided")
    try await expect(
      predict(["a": a, "b": array([3, 3], 0)], name: "Two", version: 3), of: service,
      .invalidArgument,
      "Batching input tensors supplied in a given feed list must have equal 0th-dimension size")
  }

  @Test func `open extents are limited and count by their size`() async throws {
    let limited = service { $0.maximumElements = 99 }
    let image = AnyNDArray(NDArray<Float>(shape: [1, 10, 10, 1]))
    try await expect(
      predict(["image": image], name: "Pixelwise", version: 1), of: limited, .invalidArgument,
      "100 values are more than the 99 taken in one call; send fewer or smaller images")
    // Tiles of a fixed extent have their own limit, that of the batch.
    guard case .outputs = try await ask(predict(["input_0": tile]), of: limited) else {
      Issue.record("refused")
      return
    }
    try await expect(
      predict(
        ["image": AnyNDArray(NDArray<Float>(shape: [1, 10, 10, 2]))], name: "Pixelwise", version: 1),
      .invalidArgument,
      "input image has the shape (1, 10, 10, 2), which does not match the model's (-1, -1, -1, 1)")
    let call = PredictCall(
      model: ModelSelection(name: "Pixelwise", version: 1), signature: "",
      inputs: ["image": AnyNDArray(NDArray<Float>(shape: [2, 300, 400, 1]))], outputFilter: [])
    let request = try ModelRequest(
      call, to: .pixelwise, maximumBatch: nil, maximumElements: 1 << 20)
    #expect(request.cost == 4)
  }

  @Test func `axes of one name are equally long`() async throws {
    func zeros(_ shape: Int...) -> AnyNDArray { AnyNDArray(NDArray<Float>(shape: shape)) }
    var inputs = [
      "encoder_app_input": zeros(2, 5, 32, 32, 1), "encoder_morph_input": zeros(2, 5, 3),
      "encoder_centroid_input": zeros(2, 5, 2), "encoder_adj_input": zeros(2, 5, 5),
    ]
    guard
      case .outputs(let outputs, _, _) = try await ask(
        predict(inputs, name: "NuclearTrackingNE"), of: service())
    else {
      Issue.record("refused")
      return
    }
    #expect(outputs["embeddings"]?.shape == [2, 5, 64])
    #expect(outputs["centroids"]?.shape == [2, 5, 2])
    inputs["encoder_adj_input"] = zeros(2, 5, 4)
    try await expect(
      predict(inputs, name: "NuclearTrackingNE"), .invalidArgument,
      "input encoder_adj_input has the shape (2, 5, 4), but other inputs have 5 along the axis of its "
        + "cells")
    inputs["encoder_adj_input"] = zeros(2, 5, 5)
    inputs["encoder_morph_input"] = zeros(2, 4, 3)
    try await expect(
      predict(inputs, name: "NuclearTrackingNE"), .invalidArgument,
      "input encoder_morph_input has the shape (2, 4, 3), but other inputs have 5 along the axis of its "
        + "cells")
  }

  @Test func `an answer is limited as its call is`() async throws {
    func zeros(_ shape: Int...) -> AnyNDArray { AnyNDArray(NDArray<Float>(shape: shape)) }
    func comparison(of tracks: Int, with cells: Int) -> ModelServerCall.Request {
      predict(
        [
          "current_embeddings": zeros(1, 1, tracks, 64),
          "current_centroids": zeros(1, 1, tracks, 2),
          "future_embeddings": zeros(1, 1, cells, 64), "future_centroids": zeros(1, 1, cells, 2),
        ], name: "NuclearTrackingInf")
    }
    let limited = service { $0.maximumElements = 20_000 }
    try await expect(
      comparison(of: 100, with: 301), of: limited, .invalidArgument,
      "26466 values are more than the 20000 taken in one call; send fewer or smaller images")
    try await expect(
      comparison(of: 100, with: 201), of: limited, .invalidArgument,
      "the answer would have 60300 values, more than the 60000 given in one call; send less")
    for (tracks, cells) in [(3, 4), (0, 4), (3, 0)] {
      guard
        case .outputs(let outputs, _, _) = try await ask(
          comparison(of: tracks, with: cells), of: limited)
      else {
        Issue.record("refused")
        return
      }
      #expect(outputs["probabilities"]?.shape == [1, 1, tracks, cells, 3])
    }
  }

  @Test func `half precision is not converted`() async throws {
    try await expect(
      predict(
        ["image": AnyNDArray(NDArray<Float16>(shape: [1, 8, 8, 1]))], name: "Pixelwise", version: 1),
      .invalidArgument, "Expects arg[0] to be float but half is provided")
  }

  @Test func `outputs that do not exist are refused`() async throws {
    try await expect(
      predict(["input_0": tile], outputs: ["semantic_1", "other"]), .invalidArgument,
      "output tensor alias not found in signature: other Outputs expected to be in the set "
        + "{semantic_0,semantic_1}.")
    try await expect(
      predict(["input_0": tile], outputs: ["semantic_1", "semantic_1"]), .invalidArgument,
      "duplicate output tensor alias: semantic_1")
  }

  @Test func `a batch that is too large is refused with its limit`() async throws {
    let tiles = AnyNDArray(NDArray<Float>(shape: [8, 256, 256, 1]))
    try await expect(
      predict(["input_0": tiles]), of: service { $0.maximumBatch = 4 }, .invalidArgument,
      "Task size 8 is larger than maximum input batch size 4")
  }

  @Test func `the newest version answers, and says which it is`() async throws {
    let reply = try await ask(
      predict(["input_0": tile], version: nil, outputs: ["semantic_1"]), of: service())
    guard case .outputs(let outputs, let model, .typed) = reply else {
      Issue.record("\(reply)")
      return
    }
    #expect(outputs.keys.sorted() == ["semantic_1"])
    #expect(model == ModelSelection(name: "NuclearSegmentation", version: 6))
  }

  @Test func `no image gives no maps`() async throws {
    let none = AnyNDArray(NDArray<Float>(shape: [0, 256, 256, 1]))
    guard
      case .outputs(let outputs, _, _) = try await ask(predict(["input_0": none]), of: service())
    else {
      Issue.record("refused")
      return
    }
    #expect(outputs.values.map(\.shape) == [[0, 256, 256, 1], [0, 256, 256, 1]])
  }

  @Test func `models that load say so`() async throws {
    let loading = service { $0.ready = .now + .seconds(3600) }
    try await expect(
      predict(["input_0": tile]), of: loading, .unavailable, "the models are loading")
    let model = ModelSelection(name: "NuclearSegmentation", version: nil)
    guard case .status(let versions) = try await ask(.status(model), of: loading),
      case .health(let isServing) = try await ask(.health(service: ""), of: loading)
    else {
      Issue.record("refused")
      return
    }
    #expect(versions == [ModelVersionStatus(version: 6, state: .loading)])
    #expect(!isServing)
  }

  @Test func `calls beyond the limit of images are refused, others wait`() async throws {
    let service = service { $0.latency = .seconds(3600) }
    let three = AnyNDArray(NDArray<Float>(shape: [3, 256, 256, 1]))
    let first = Task { try await ask(predict(["input_0": three]), of: service) }
    while service.workers.admittedCount == 0 { await Task.yield() }
    try await expect(
      predict(["input_0": three]), of: service, .unavailable,
      "The batch scheduling queue to which this task was submitted is full")
    // A caller that goes away makes room, at once.
    first.cancel()
    guard case .failure(.cancelled, _) = try await first.value else {
      Issue.record("not cancelled")
      return
    }
    #expect(service.workers.admittedCount == 0)
  }

  @Test(arguments: [
    ModelName(name: "NuclearSegmentation", version: 6),
    ModelName(name: "ScaleDetection", version: 1),
  ])
  func `metadata has the form that was recorded`(model: ModelName) async throws {
    let service = service()
    let server = try ModelServerHost { await service.answer($0) }
    var configuration = ServingConfiguration()
    configuration.host = "127.0.0.1"
    configuration.port = server.port
    let client = ServingClient(configuration)
    let reply = try await client.call(
      .metadata, model: model, timeout: .seconds(60), context: CallContext()
    ) { channel, options, error in
      model.withShimModel { tfs_metadata_start(channel, $0, options, error) }
    }
    let recorded = try Data(
      contentsOf: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/wire/GetModelMetadata_\(model.name).reply.pb"))
    // The entries of a map come in any order, so the messages are equal but for the order of bytes.
    #expect(reply.bytes.sorted() == recorded.sorted())
    await server.stop()
  }
}
