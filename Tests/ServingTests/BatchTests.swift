import Arrays
import ModelServing
import Serving
import Synchronization
import TestSupport
import Testing

@Suite struct BatchTests {
  /// Rows that can be told apart: `[rows, 2]`.
  private func rows(_ count: Int) -> NDArray<Int32> {
    NDArray(shape: [count, 2], elements: (0..<Int32(2 * count)))
  }

  /// A server that takes at most `maximum` rows and records how many it was sent.
  private func server(
    maximum: Int, text: String, sizes: Watched<[Int]>
  ) throws -> ModelServerHost {
    try ModelServerHost { call in
      guard case .predict(let predict) = call.request, let size = predict.inputs["x"]?.shape.first
      else { return .failure(.internal, "no x") }
      await sizes.update { $0.append(size) }
      if size > maximum {
        return .failure(.invalidArgument, text.replacing("SIZE", with: "\(size)"))
      }
      return .outputs(predict.inputs, model: predict.model, encoding: .typed)
    }
  }

  @Test(arguments: [
    "Batch size SIZE is larger than maximum input batch size 4",
    "Task size SIZE is larger than maximum input batch size 4",
  ])
  func `a batch the server finds too large is split, and the limit remembered`(
    text: String
  ) async throws {
    let sizes = Watched<[Int]>([])
    let server = try server(maximum: 4, text: text, sizes: sizes)
    let client = ServingClient(port: server.port)
    for _ in 0..<2 {
      let outputs = try await client.predict(
        model: testModel, inputs: ["x": AnyNDArray(rows(10)), "y": AnyNDArray(rows(10))])
      #expect(outputs["x"]?.typed(as: Int32.self) == rows(10))
      #expect(outputs["y"]?.typed(as: Int32.self) == rows(10))
    }
    let sent = await sizes.value
    #expect(sent.first == 10)
    #expect(sent.dropFirst().sorted() == [2, 2, 4, 4, 4, 4])
    await server.stop()
  }

  @Test func `a limit that does not help fails`() async throws {
    let sizes = Watched<[Int]>([])
    let server = try server(
      maximum: 0, text: "Batch size SIZE is larger than maximum input batch size 4", sizes: sizes)
    let client = ServingClient(port: server.port)
    await #expect(throws: ServingError.self) {
      try await client.predict(model: testModel, inputs: ["x": AnyNDArray(rows(3))])
    }
    await #expect(throws: ServingError.self) {
      try await client.predict(model: testModel, inputs: ["x": AnyNDArray(rows(9))])
    }
  }

  @Test(arguments: 0..<30)
  func `any batch comes back whole and in order`(seed: Int) async throws {
    var generator = SeededGenerator(seed: seed)
    let count = Int.random(in: 1...40, using: &generator)
    let maximum = Int.random(in: 1...12, using: &generator)
    let sizes = Watched<[Int]>([])
    let server = try server(
      maximum: maximum, text: "Task size SIZE is larger than maximum input batch size \(maximum)",
      sizes: sizes)
    let bytes = Int.random(in: 1...400, using: &generator)
    let client = ServingClient(port: server.port) { $0.maximumRequestBytes = bytes }
    let outputs = try await client.predict(
      model: testModel, inputs: ["x": AnyNDArray(rows(count))])
    #expect(outputs["x"]?.typed(as: Int32.self) == rows(count))
    #expect(await sizes.value.allSatisfy { $0 * 8 <= max(bytes, 8) })
    await server.stop()
  }

  @Test func `an output without the batch axis cannot be joined`() async throws {
    let server = try ModelServerHost { call in
      .outputs(["y": .floats([])], model: ModelSelection(name: "m", version: 1), encoding: .typed)
    }
    let client = ServingClient(port: server.port) { $0.maximumRequestBytes = 8 }
    await #expect {
      try await client.predict(model: testModel, inputs: ["x": AnyNDArray(rows(2))])
    } throws: { error in
      (error as? ServingError)?.message.contains("cannot be joined") == true
    }
  }

  @Test func `no more calls are in flight than the process may have`() async throws {
    let running = Mutex((now: 0, most: 0))
    let server = try ModelServerHost { call in
      running.withLock {
        $0.now += 1
        $0.most = max($0.most, $0.now)
      }
      for _ in 0..<50 { await Task.yield() }
      let reply = await echo()(call)
      running.withLock { $0.now -= 1 }
      return reply
    }
    let client = ServingClient(port: server.port) {
      $0.maximumRequestBytes = 8
      $0.maximumInFlight = 3
    }
    let outputs = try await client.predict(
      model: testModel, inputs: ["x": AnyNDArray(rows(200))])
    #expect(outputs["x"]?.typed(as: Int32.self) == rows(200))
    #expect(running.withLock { $0.most } <= 3)
  }
}
