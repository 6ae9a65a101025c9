import Arrays
import CTensorFlowServing
import ModelServing
import Serving
import TestSupport
import Testing

@Suite struct ModelServerTests {
  @Test func `a port that is taken is refused`() async throws {
    let first = try ModelServerHost(handler: silent)
    #expect {
      try ModelServerHost(port: first.port, handler: silent)
    } throws: { error in
      "\(error)".contains("the address is taken")
    }
    await first.stop()
    let second = try ModelServerHost(port: first.port, handler: silent)
    await second.stop()
  }

  @Test func `status and health are answered`() async throws {
    let versions = [
      ModelVersionStatus(version: 6, state: .available),
      ModelVersionStatus(version: 7, state: .end, code: .internal, message: "no memory"),
    ]
    let server = try ModelServerHost { call in
      switch call.request {
      case .status(let model):
        model.name == "NuclearSegmentation" ? .status(versions) : .failure(.notFound, "unknown")
      case .health(let service):
        service == "gone" ? .failure(.notFound, "unknown") : .health(isServing: service.isEmpty)
      default: .failure(.unimplemented, "")
      }
    }
    let client = ServingClient(port: server.port)
    #expect(try await client.status(of: testModel) == versions)
    #expect(try await client.isHealthy())
    #expect(try await !client.isHealthy(service: "PredictionService"))
    await #expect(throws: ServingError.self) { try await client.isHealthy(service: "gone") }
    await #expect(throws: ServingError.self) {
      try await client.status(of: ModelName(name: "other", version: 1))
    }
  }

  @Test func `a request that cannot be read is answered without the handler`() async throws {
    let calls = Tally()
    let server = try ModelServerHost(maximumInputBytes: 100) { _ in
      calls.next()
      return .bytes([])
    }
    let client = ServingClient(port: server.port)
    await #expect {
      try await client.predict(model: testModel, inputs: ["x": .floats([26])])
    } throws: { error in
      (error as? ServingError)?.code == .outOfRange
    }
    #expect(try await client.predict(model: testModel, inputs: ["x": .floats([25])]).isEmpty)
    #expect(calls.value == 1)
  }

  @Test func `stopping waits for calls in flight within the grace period`() async throws {
    let (events, recorder) = AsyncStream<Void>.makeStream()
    let isOpen = Watched(false)
    let server = try ModelServerHost { call in
      recorder.yield()
      _ = try? await isOpen.wait { $0 }
      return await echo()(call)
    }
    let client = ServingClient(port: server.port)
    let task = Task { try await client.predict(model: testModel, inputs: ["x": .floats([1])]) }
    for await _ in events { break }
    async let stopped: Void = server.stop(grace: .seconds(60))
    await isOpen.update { $0 = true }
    #expect(try await task.value.count == 1)
    await stopped
  }

  @Test func `stopping without grace cancels the calls in flight`() async throws {
    let (events, recorder) = AsyncStream<Void>.makeStream()
    let server = try ModelServerHost { call in
      recorder.yield()
      return await silent(call)
    }
    let client = ServingClient(port: server.port, clock: .init(JumpingClock())) {
      $0.waitTimeout = .zero
    }
    let task = Task { try await client.predict(model: testModel, inputs: ["x": .floats([1])]) }
    for await _ in events { break }
    await server.stop()
    await #expect(throws: ServingError.self) { try await task.value }
  }

  @Test func `a recorded reply is replayed to the bit`() async throws {
    let bytes = try fixture("Predict_NuclearSegmentation.reply.pb")
    let server = try ModelServerHost { _ in .bytes(bytes) }
    let client = ServingClient(port: server.port)
    let outputs = try await client.predict(model: testModel, inputs: ["x": .floats([1])])
    #expect(outputs.keys.sorted() == ["semantic_0", "semantic_1"])
    #expect(outputs["semantic_1"]?.shape == [1, 256, 256, 1])
  }
}
