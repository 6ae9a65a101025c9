import Arrays
import Foundation
import ImageAlgorithms
import Serving
import TestSupport
import Testing

/// The server as a process, over real gRPC.
@Suite(.programs, .serialized) struct BuiltInModelTests {
  private static let models = [
    ModelName(name: "NuclearSegmentation", version: 6),
    ModelName(name: "CytoplasmSegmentation", version: 5),
    ModelName(name: "PhaseCytoSegmentation", version: 0),
  ]

  private static let otherModels: [(String, inputs: [String: Shape], outputs: [String: Shape])] = [
    (
      "MultiplexSegmentation:9", ["input_0": [-1, 256, 256, 2]],
      [
        "semantic_0": [-1, 256, 256, 1], "semantic_1": [-1, 256, 256, 3],
        "semantic_2": [-1, 256, 256, 1], "semantic_3": [-1, 256, 256, 3],
      ]
    ),
    (
      "SpotDetection:3", ["input_1": [-1, 128, 128, 1]],
      ["classification": [-1, 128, 128, 2], "offset_regression": [-1, 128, 128, 2]]
    ),
    (
      "NuclearTrackingNE:6",
      [
        "encoder_app_input": [-1, -1, 32, 32, 1], "encoder_morph_input": [-1, -1, 3],
        "encoder_centroid_input": [-1, -1, 2], "encoder_adj_input": [-1, -1, -1],
      ],
      ["centroids": [-1, -1, 2], "embeddings": [-1, -1, 64]]
    ),
    (
      "NuclearTrackingInf:6",
      [
        "current_embeddings": [-1, -1, -1, 64], "current_centroids": [-1, -1, -1, 2],
        "future_embeddings": [-1, 1, -1, 64], "future_centroids": [-1, 1, -1, 2],
      ],
      ["probabilities": [-1, 1, -1, -1, 3]]
    ),
  ]

  @Test func `models say what the recorded ones say`() async throws {
    let server = try await RunningModelServer.start()
    for model in Self.models {
      let metadata = try await server.client.metadata(of: model)
      let input = try #require(metadata.inputs["input_0"])
      #expect(metadata.inputs.count == 1)
      #expect(input.graphName == "serving_default_input_0:0")
      #expect(input.type == TensorType(.float32))
      #expect(input.shape == [-1, 256, 256, 1])
      #expect(metadata.outputs?.keys.sorted() == ["semantic_0", "semantic_1"])
      #expect(metadata.outputs?["semantic_1"]?.graphName == "PartitionedCall:1")
    }
    for (model, inputs, outputs) in Self.otherModels {
      let metadata = try await server.client.metadata(of: try ModelName(model))
      #expect(metadata.inputs.mapValues(\.shape) == inputs.mapValues { $0 })
      #expect(metadata.outputs?.mapValues(\.shape) == outputs.mapValues { $0 })
      let types = [metadata.inputs, metadata.outputs ?? [:]].flatMap { $0.values.map(\.type) }
      #expect(types.allSatisfy { $0 == TensorType(.float32) })
    }
    #expect(try await server.client.isHealthy())
    let status = try await server.client.status(of: RunningModelServer.nuclei)
    #expect(status.map(\.version) == [6])
    #expect(status.map(\.state) == [.available])
    try await server.process.stop()
  }

  @Test(arguments: ["typed", "content"])
  func `answers have the names, shapes and types of the models`(encoding: String) async throws {
    let server = try await RunningModelServer.start("--encoding", encoding)
    for model in Self.models {
      let outputs = try await server.predict(AnyNDArray(Discs.tiles(2)), model: model)
      #expect(outputs.keys.sorted() == ["semantic_0", "semantic_1"])
      for output in outputs.values {
        #expect(output.dtype == .float32)
        #expect(output.shape == [2, 256, 256, 1])
        #expect(output.asFloat.elements.allSatisfy { (0...1).contains($0) })
      }
    }
    try await server.process.stop()
  }

  @Test func `each disc becomes a cell, and an even or a noisy image none`() async throws {
    let server = try await RunningModelServer.start()
    func labels(_ tile: NDArray<Float>) async throws -> NDArray<Int32> {
      let outputs = try await server.predict(AnyNDArray(tile))
      let heads = try #require(outputs["semantic_0"]).asFloat
      let interior = try #require(outputs["semantic_1"]).asFloat
      return try deepWatershed(maxima: heads, interior: interior, parameters: .nuclear)
    }
    let found = try await labels(Discs.tiles())
    let centres = Discs.centres.map { found[0, $0.0, $0.1, 0] }
    #expect(Set(centres).count == Discs.centres.count && !centres.contains(0))
    let areas = centres.map { label in found.elements.count { $0 == label } }
    let expected = Double.pi * Discs.radius * Discs.radius
    for area in areas { #expect((0.7...1.3).contains(Double(area) / expected), "\(area) pixels") }
    #expect(Set(found.elements).count == Discs.centres.count + 1)

    #expect(try await labels(NDArray(shape: [1, 256, 256, 1], repeating: 0.5)).elements.max() == 0)
    var generator = SeededGenerator(seed: 3)
    let noise = NDArray<Float>(uninitialized: [1, 256, 256, 1]) { output in
      for i in output.indices { output[i] = Float.random(in: 0...1, using: &generator) }
    }
    #expect(try await labels(noise).elements.max() == 0)
    try await server.process.stop()
  }

  @Test func `images of any size and raw tiles have models of their own`() async throws {
    let server = try await RunningModelServer.start("--models", "Pixelwise:1", "ScaleDetection")
    let discs = AnyNDArray(Discs.tiles(2, side: 210))
    let outputs = try await server.predict(
      discs, named: "image", model: ModelName(name: "Pixelwise", version: 1))
    let classes = try #require(outputs["prediction"]).asFloat
    #expect(classes.shape == [2, 210, 210, 3])
    let (row, column) = Discs.centres[2]
    #expect(classes[1, row, column, 1] > 0.8)
    #expect(classes[1, 5, 5, 2] > 0.8)

    let detection = ModelName(name: "ScaleDetection", version: 1)
    let metadata = try await server.client.metadata(of: detection)
    #expect(metadata.inputs["input_1"]?.shape == [-1, 216, 216, 1])
    let scales = try await server.predict(
      AnyNDArray(Discs.tiles(2, side: 216)), named: "input_1", model: detection)
    #expect(scales["tensor_product_1"]?.shape == [2, 1])
    try await server.process.stop()
  }

  @Test func `bad requests get the codes and words of TensorFlow Serving`() async throws {
    let server = try await RunningModelServer.start("--max-batch", "2")
    func refusal(
      _ code: StatusCode, _ text: String,
      _ body: () async throws -> [String: AnyNDArray]
    ) async throws {
      let error = await #expect(throws: ServingError.self) { _ = try await body() }
      #expect(error?.code == code)
      #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
    }
    let tile = AnyNDArray(Discs.tiles())
    try await refusal(
      .notFound, "Servable not found for request: Specific(NuclearSegmentation, 99)"
    ) {
      try await server.predict(tile, model: ModelName(name: "NuclearSegmentation", version: 99))
    }
    try await refusal(.notFound, "Specific(Nothing, 1)") {
      try await server.predict(tile, model: ModelName(name: "Nothing", version: 1))
    }
    try await refusal(.invalidArgument, "input tensor alias not found in signature: image") {
      try await server.predict(tile, named: "image")
    }
    try await refusal(.invalidArgument, "Expects arg[0] to be float but int32 is provided") {
      try await server.predict(AnyNDArray(NDArray<Int32>(shape: [1, 256, 256, 1])))
    }
    try await refusal(.invalidArgument, "(1, 100, 100, 1)") {
      try await server.predict(AnyNDArray(Discs.tiles(1, side: 100)))
    }
    try await refusal(.invalidArgument, "not found in signature") {
      try await server.predict(tile, outputs: .named(["nothing"]))
    }
    let unknown = await #expect(throws: ServingError.self) {
      try await server.client.metadata(of: ModelName(name: "Nothing", version: 1))
    }
    #expect(unknown?.code == .notFound)
    // Not a number is no reason to end.
    _ = try await server.predict(
      AnyNDArray(NDArray<Float>(shape: [1, 256, 256, 1], repeating: .nan)))
    try await server.process.stop()
  }

  @Test func `a client learns the largest batch and splits`() async throws {
    let server = try await RunningModelServer.start("--max-batch", "2")
    let outputs = try await server.predict(AnyNDArray(Discs.tiles(5)))
    #expect(outputs["semantic_0"]?.shape == [5, 256, 256, 1])
    try await server.process.stop()
  }

  @Test func `every n-th call fails as asked for`() async throws {
    let server = try await RunningModelServer.start(
      "--fail-every", "2:RESOURCE_EXHAUSTED", "--fail-every", "3:DEADLINE_EXCEEDED")
    let tile = AnyNDArray(Discs.tiles())
    var codes: [StatusCode] = []
    for _ in 0..<6 {
      do {
        _ = try await server.predict(tile)
        codes.append(.ok)
      } catch let error as ServingError { codes.append(error.code) }
    }
    #expect(
      codes == [
        .ok, .resourceExhausted, .deadlineExceeded, .resourceExhausted, .ok, .resourceExhausted,
      ])
    try await server.process.stop()
  }

  @Test func `a delayed start answers UNAVAILABLE until then`() async throws {
    let server = try await RunningModelServer.start("--start-delay", "600")
    let error = await #expect(throws: ServingError.self) {
      try await server.predict(AnyNDArray(Discs.tiles()))
    }
    #expect(error?.code == .unavailable)
    try await server.process.stop()
  }

  @Test func `it stops cleanly and says what it is`() async throws {
    let server = try await RunningModelServer.start()
    #expect(try await server.process.stop() == .code(0))
    let help = try await ChildProcess.start(BuiltProduct.path("kiosk-model-server"), ["--help"])
    #expect(try await help.waitForExit() == .code(0))
    let text = await help.status.standardOutput
    #expect(text.contains("no learned weights") && text.contains("TF_HOST"))
    let models =
      ["NuclearSegmentation:6", "Pixelwise:1", "ScaleDetection:1", "LabelDetection:1"]
      + Self.otherModels.map(\.0)
    for model in models { #expect(text.contains(model)) }
  }

  @Test func `it stops after its grace while calls wait`() async throws {
    let server = try await RunningModelServer.start(
      "--latency", "3600", "--grace", "0", "--queue", "1")
    try await withThrowingTaskGroup(of: StatusCode.self) { calls in
      for _ in 0..<2 {
        calls.addTask {
          do {
            _ = try await server.predict(AnyNDArray(Discs.tiles()))
            return .ok
          } catch let error as ServingError { return error.code }
        }
      }
      // One is refused because the other one is being waited for.
      #expect(try await calls.next() == .unavailable)
      #expect(try await server.process.stop(grace: .seconds(30)) == .code(0))
      let code = try #require(try await calls.next())
      #expect([.cancelled, .unavailable].contains(code), "\(code)")
    }
  }

  @Test func `only the models asked for are served`() async throws {
    let server = try await RunningModelServer.start("--models", "CytoplasmSegmentation:5")
    #expect(try await server.client.status(of: Self.models[1]).map(\.version) == [5])
    await #expect(throws: ServingError.self) {
      try await server.client.status(of: RunningModelServer.nuclei)
    }
    try await server.process.stop()
  }

  @Test func `a port that is taken is named`() async throws {
    let server = try await RunningModelServer.start()
    let second = try await ChildProcess.start(
      BuiltProduct.path("kiosk-model-server"), ["--port", "\(server.port)"])
    #expect(try await second.waitForExit() != .code(0))
    #expect(await second.status.standardError.contains("127.0.0.1:\(server.port)"))
    try await server.process.stop()
  }

  @Test(arguments: [
    ["--models", "Nothing:1"], ["--encoding", "other"], ["--max-batch", "0"],
    ["--port", "99999"], ["--fail-every", "x"], ["--latency", "-1"], ["--threads", "0"],
  ])
  func `options that cannot be are refused`(arguments: [String]) async throws {
    let process = try await ChildProcess.start(BuiltProduct.path("kiosk-model-server"), arguments)
    #expect(try await process.waitForExit() == .code(64))
  }
}
