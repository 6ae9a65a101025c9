import ModelServing
import Retrying
import Synchronization
import TestSupport
import Testing

@testable import Serving

/// A cache in memory that counts.
private final class CountingCache: MetadataCache {
  let texts = Mutex<[ModelName: String]>([:])
  let reads = Tally()

  func metadata(of model: ModelName) async throws -> String? {
    reads.next()
    return texts.withLock { $0[model] }
  }

  func keepMetadata(_ text: String, of model: ModelName) async throws {
    texts.withLock { $0[model] = text }
  }
}

private struct BrokenCache: MetadataCache {
  func metadata(of model: ModelName) async throws -> String? { throw TestSupportError("away") }
  func keepMetadata(_ text: String, of model: ModelName) async throws {
    throw TestSupportError("away")
  }
}

@Suite struct MetadataTests {
  private static let recorded = """
    {"input_0": {"name": "serving_default_input_0:0", "dtype": "DT_FLOAT", \
    "tensorShape": {"dim": [{"size": "-1"}, {"size": "256"}, {"size": "256"}, {"size": "1"}]}}}
    """
  private static let metadata = ModelMetadata(
    inputs: [
      "input_0": .init(
        graphName: "serving_default_input_0:0", type: TensorType(.float32),
        shape: [-1, 256, 256, 1])
    ],
    outputs: ["y": .init(type: TensorType(.float32), shape: nil)])

  private let clock = JumpingClock()
  private let calls = Tally()

  private func server() throws -> ModelServerHost {
    try ModelServerHost { [calls] call in
      calls.next()
      guard case .metadata(let model) = call.request else { return .failure(.internal, "") }
      return .metadata(Self.metadata, model: model)
    }
  }

  @Test func `the cached form is that of the Python service`() {
    #expect(Self.metadata.json == Self.recorded)
    #expect(ModelMetadata(json: Self.recorded)?.inputs == Self.metadata.inputs)
    #expect(ModelMetadata(json: Self.recorded)?.outputs == nil)
  }

  @Test(arguments: 0..<100) func `any metadata survives its cached form`(seed: Int) {
    var generator = SeededGenerator(seed: seed)
    let alphabet: [Character] = ["a", "_", ":", "\"", "\\", "\n", "é", "😀", "\u{1}", "/"]
    func text() -> String {
      String((0..<5).map { _ in alphabet.randomElement(using: &generator) ?? "a" })
    }
    var inputs: [String: ModelMetadata.Tensor] = [:]
    for _ in 0...3 {
      let rank = Int.random(in: -1...4, using: &generator)
      inputs[text()] = .init(
        graphName: text(), type: TensorType(rawValue: .random(in: 0...40, using: &generator)),
        shape: rank < 0 ? nil : (0..<rank).map { _ in Int.random(in: -1...512, using: &generator) })
    }
    let metadata = ModelMetadata(inputs: inputs)
    #expect(ModelMetadata(json: metadata.json) == metadata, "\(metadata.json)")
  }

  @Test(arguments: ["", "{}", "[]", "null", "{\"x\": 1}", "{\"x\": {\"dtype\": \"what\"}}", "{"])
  func `a text that is no metadata is ignored`(text: String) async throws {
    #expect(ModelMetadata(json: text) == nil)
    let cache = CountingCache()
    cache.texts.withLock { $0[testModel] = text }
    let server = try server()
    let client = ServingClient(port: server.port, cache: cache)
    #expect(try await client.metadata(of: testModel) == Self.metadata)
    #expect(cache.texts.withLock { $0[testModel] } == Self.recorded)
  }

  @Test func `memory comes first, then the cache, then the server`() async throws {
    let cache = CountingCache()
    let server = try server()
    let client = ServingClient(port: server.port, clock: AnyClock(clock), cache: cache)
    #expect(try await client.metadata(of: testModel) == Self.metadata)
    #expect(cache.texts.withLock { $0[testModel] } == Self.recorded)
    #expect((cache.reads.value, calls.value) == (1, 1))

    #expect(try await client.metadata(of: testModel) == Self.metadata)
    #expect((cache.reads.value, calls.value) == (1, 1))

    clock.advance(by: .seconds(30))
    #expect(try await client.metadata(of: testModel).inputs == Self.metadata.inputs)
    #expect((cache.reads.value, calls.value) == (2, 1))

    clock.advance(by: .seconds(30))
    cache.texts.withLock { $0.removeAll() }
    #expect(try await client.metadata(of: testModel) == Self.metadata)
    #expect((cache.reads.value, calls.value) == (3, 2))
  }

  @Test func `a cache that fails is done without`() async throws {
    let server = try server()
    let client = ServingClient(port: server.port, cache: BrokenCache())
    #expect(try await client.metadata(of: testModel) == Self.metadata)
  }

  @Test func `requests at the same time are one, and one that gives up does not end it`()
    async throws
  {
    let isOpen = Watched(false)
    let server = try ModelServerHost { [calls] call in
      calls.next()
      _ = try? await isOpen.wait { $0 }
      return .metadata(Self.metadata, model: ModelSelection(name: "m", version: 1))
    }
    let client = ServingClient(port: server.port)
    let tasks = (0..<50).map { _ in Task { try await client.metadata(of: testModel) } }
    // One that gives up alone would end the request, and the next would make another.
    try await eventually("all wait for one answer", within: .seconds(60)) { [calls] in
      calls.value == 1 && client.store.flights.waiterCount(testModel) == tasks.count
    }
    tasks[0].cancel()
    await #expect(throws: CancellationError.self) { try await tasks[0].value }
    await isOpen.update { $0 = true }
    for task in tasks.dropFirst() { #expect(try await task.value == Self.metadata) }
    #expect(calls.value == 1)
  }

  @Test func `when all give up, the request is cancelled`() async throws {
    let (events, recorder) = AsyncStream<Bool>.makeStream()
    let server = try ModelServerHost { call in
      recorder.yield(false)
      let reply = await silent(call)
      recorder.yield(Task.isCancelled)
      return reply
    }
    let client = ServingClient(port: server.port)
    var event = events.makeAsyncIterator()
    let tasks = (0..<3).map { _ in Task { try await client.metadata(of: testModel) } }
    #expect(await event.next() == false)
    for task in tasks { task.cancel() }
    for task in tasks {
      await #expect(throws: CancellationError.self) { try await task.value }
    }
    #expect(await event.next() == true)
  }

  @Test func `an unknown model is named in the error, which is not remembered`() async throws {
    let isLoaded = Watched(false)
    let server = try ModelServerHost { call in
      guard case .metadata(let model) = call.request else { return .failure(.internal, "") }
      guard await isLoaded.value else {
        return .failure(.notFound, "Servable not found for request: Specific(\(model.name), 6)")
      }
      return .metadata(Self.metadata, model: model)
    }
    let client = ServingClient(port: server.port)
    await #expect {
      try await client.metadata(of: testModel)
    } throws: { error in
      let text = "\(error)"
      return text.contains("model NuclearSegmentation version 6") && text.contains("NOT_FOUND")
        && text.contains("Servable not found")
        && text.contains("check the model's name and version")
        && (error as? ServingError)?.jobErrorCode == "unsupported_model"
    }
    await isLoaded.update { $0 = true }
    #expect(try await client.metadata(of: testModel) == Self.metadata)
  }

  @Test func `metadata waits for an absent server`() async throws {
    let server = try ModelServerHost { [calls] call in
      calls.next() < 5
        ? .failure(.unavailable, "loading")
        : .metadata(Self.metadata, model: ModelSelection(name: "m", version: 1))
    }
    let pauses = Tally()
    let client = ServingClient(port: server.port, clock: AnyClock(clock))
    let context = CallContext(onPause: { _ in pauses.next() })
    #expect(try await client.metadata(of: testModel, context: context) == Self.metadata)
    #expect(pauses.value == 4)
  }

  @Test func `recorded metadata names inputs and outputs`() throws {
    let reply = try WireMessage(bytes: fixture("GetModelMetadata_NuclearSegmentation.reply.pb"))
    let metadata = try ModelMetadata(reply: reply)
    #expect(
      metadata.inputs == [
        "input_0": .init(
          graphName: "serving_default_input_0:0", type: TensorType(.float32),
          shape: [-1, 256, 256, 1])
      ])
    #expect(metadata.outputs?.keys.sorted() == ["semantic_0", "semantic_1"])

    let mesmer = try WireMessage(bytes: fixture("GetModelMetadata_MultiplexSegmentation.reply.pb"))
    #expect(try ModelMetadata(reply: mesmer).inputs["input_0"]?.shape == [-1, 256, 256, 2])
  }

  @Test func `a model without the default signature names those it has`() async throws {
    let server = try ModelServerHost { _ in
      .bytes(
        WireWriter.message { reply in
          reply.message(2) { entry in
            entry.bytes(1, Array("signature_def".utf8))
            entry.message(2) { any in
              any.bytes(
                1, Array("type.googleapis.com/tensorflow.serving.SignatureDefMap".utf8))
              any.message(2) { map in
                map.message(1) { $0.bytes(1, Array("other".utf8)) }
              }
            }
          }
        })
    }
    let client = ServingClient(port: server.port)
    await #expect {
      try await client.metadata(of: testModel)
    } throws: { error in
      "\(error)".contains("only: other")
    }
  }
}
