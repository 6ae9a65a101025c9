import Arrays
import Foundation
import ModelServing
import Serving
import TestSupport
import Testing

@Suite struct CallTests {
  private func error(
    _ reply: ModelServerReply, _ change: (inout ServingConfiguration) -> Void = { _ in }
  ) async throws -> ServingError {
    let server = try ModelServerHost { _ in reply }
    let client = ServingClient(port: server.port, change)
    do {
      let outputs = try await client.predict(model: testModel, inputs: ["x": .floats([1])])
      throw TestSupportError("the call gave \(outputs)")
    } catch let error as ServingError {
      return error
    }
  }

  @Test func `a reply of garbage is an internal error`() async throws {
    var generator = SeededGenerator(seed: 3)
    for bytes in [[0xff], [10, 200], generator.bytes(5000)] as [[UInt8]] {
      let error = try await error(.bytes(bytes))
      #expect(error.code == .internal)
      #expect(error.message.contains("malformed"))
      #expect(error.tries == 1)
    }
  }

  @Test func `an empty reply has no outputs`() async throws {
    let server = try ModelServerHost { _ in .bytes([]) }
    let client = ServingClient(port: server.port)
    #expect(try await client.predict(model: testModel, inputs: ["x": .floats([1])]).isEmpty)
    await #expect(throws: ServingError.self) {
      try await client.predict(
        model: testModel, inputs: ["x": .floats([1])], outputs: .named(["y"]))
    }
  }

  @Test func `an end without a message is an internal error`() async throws {
    let error = try await error(.failure(.ok, ""))
    #expect(error.code == .internal)
    #expect(error.message.contains("without a message"))
  }

  @Test func `a shape that claims the world takes no memory`() async throws {
    let reply = WireWriter.message { reply in
      reply.output("y") { tensor in
        tensor.varint(1, 1)
        tensor.shape([1 << 20, 1 << 20])
        tensor.float(5, 1)
      }
    }
    let error = try await error(.bytes(reply))
    #expect(error.code == .outOfRange)
    #expect(error.message.contains("4398046511104 bytes"))
  }

  @Test func `a request over two gigabytes is refused before it is sent`() async throws {
    let server = try ModelServerHost(handler: echo())
    let client = ServingClient(port: server.port)
    // Never touched, so it takes no memory.
    let huge = AnyNDArray(dtype: .uint8, uninitialized: [1, 1 << 31]) { _ in }
    await #expect {
      try await client.predict(model: testModel, inputs: ["x": huge])
    } throws: { error in
      (error as? ServingError)?.message.contains("at most 2147483647 can be sent") == true
    }
  }

  @Test(arguments: [
    StatusCode.invalidArgument, .notFound, .internal, .unimplemented, .failedPrecondition,
    .cancelled, .unknown, .aborted, .permissionDenied, .dataLoss,
  ])
  func `a final status fails at once with the server's words`(code: StatusCode) async throws {
    let error = try await error(.failure(code, "because of \"this\""))
    #expect(error.code == code)
    #expect(error.message == "because of \"this\"")
    #expect(error.tries == 1)
    #expect(!error.isRetryable)
    #expect(error.description.contains("NuclearSegmentation version 6"))
  }

  // MARK: Cancelling

  @Test func `a call of a cancelled task is not sent`() async throws {
    let calls = Tally()
    let server = try ModelServerHost { _ in
      calls.next()
      return .bytes([])
    }
    let client = ServingClient(port: server.port)
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await client.predict(model: testModel, inputs: ["x": .floats([1])])
    }
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(calls.value == 0)
  }

  @Test func `cancelling a call in flight cancels the server's task`() async throws {
    let (events, recorder) = AsyncStream<String>.makeStream()
    let server = try ModelServerHost { call in
      recorder.yield("called")
      let reply = await silent(call)
      recorder.yield(Task.isCancelled ? "cancelled" : "woke")
      return reply
    }
    let client = ServingClient(port: server.port)
    let task = Task { try await client.predict(model: testModel, inputs: ["x": .floats([1])]) }
    var event = events.makeAsyncIterator()
    #expect(await event.next() == "called")
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(await event.next() == "cancelled")
  }

  @Test func `cancelling after the end does nothing`() async throws {
    let server = try ModelServerHost(handler: echo())
    let client = ServingClient(port: server.port)
    let task = Task {
      let outputs = try await client.predict(model: testModel, inputs: ["x": .floats([1])])
      withUnsafeCurrentTask { $0?.cancel() }
      return outputs
    }
    #expect(try await task.value.count == 1)
  }

  @Test func `a thousand calls cancelled at once all end as cancelled`() async throws {
    let server = try ModelServerHost(handler: silent)
    let client = ServingClient(port: server.port)
    let tasks = (0..<1000).map { index in
      Task {
        if index % 2 == 0 {
          _ = try await client.status(of: testModel)
        } else {
          _ = try await client.predict(model: testModel, inputs: ["x": .floats([1])])
        }
      }
    }
    try await Task.sleep(for: .milliseconds(100))  // some are sent, some not, by chance
    for task in tasks { task.cancel() }
    for task in tasks {
      await #expect(throws: CancellationError.self) { try await task.value }
    }
  }

  // MARK: Deadlines

  @Test func `a silent server ends in a missed deadline`() async throws {
    let server = try ModelServerHost(handler: silent)
    let client = ServingClient(port: server.port) {
      $0.timeout = .milliseconds(100)
      $0.maximumRetries = 0
    }
    await #expect {
      try await client.predict(model: testModel, inputs: ["x": .floats([1])])
    } throws: { error in
      (error as? ServingError)?.code == .deadlineExceeded
    }
  }

  /// An input whose memory can be watched: 32 MiB, more than sockets buffer.
  private func largeInput() -> (
    inputs: [String: AnyNDArray], storage: @Sendable () -> ArrayStorage?
  ) {
    let array = AnyNDArray.floats([1, 8 << 20])
    weak let storage = array.storage
    return (["x": array], { storage })
  }

  /// Calls the peer until the deadline.
  ///
  /// - Returns: the input's memory, which nobody here holds any more.
  private func missDeadline(
    _ timeout: Duration, port: Int
  ) async throws -> @Sendable () -> ArrayStorage? {
    let client = ServingClient(port: port) {
      $0.timeout = timeout
      $0.maximumRetries = 0
    }
    let (inputs, storage) = largeInput()
    await #expect {
      try await client.predict(model: testModel, inputs: inputs)
    } throws: { error in
      (error as? ServingError)?.code == .deadlineExceeded
    }
    return storage
  }

  /// gRPC 1.51 gives the memory of a request back at the deadline, unless a write to the socket has
  /// it: that it keeps until the write ends, and that of a peer which does not read ends with the
  /// connection. Whether there was time to connect and write depends on the machine, so a deadline
  /// that came first tells nothing, and a later one is tried.
  @Test func `a frozen peer does not hold up a deadline, and lent memory lives until it is free`()
    async throws
  {
    var timeout = Duration.milliseconds(300)
    while true {
      let peer = try FrozenPeer()
      let storage = try await missDeadline(timeout, port: peer.port)
      // A deadline between two writes gives the memory back too; in one, the kernel is still to read
      // the rest from there.
      if peer.hasBlockedWrite, storage() != nil {
        peer.stop()
        return try await eventually("the memory is given back", within: .seconds(60)) {
          storage() == nil
        }
      }
      timeout *= 2
      try #require(timeout < .seconds(60))
    }
  }

  @Test func `memory lent to a call comes back after a deadline, though the connection lives`()
    async throws
  {
    let server = try ModelServerHost(handler: silent)
    let storage = try await missDeadline(.seconds(1), port: server.port)
    try await eventually("the memory is given back", within: .seconds(60)) { storage() == nil }
    withExtendedLifetime(server) {}
  }

  @Test func `a frozen peer does not hold up cancelling`() async throws {
    let peer = try FrozenPeer()
    let client = ServingClient(port: peer.port) { $0.timeout = .seconds(3600) }
    let inputs = largeInput().inputs
    let task = Task { try await client.predict(model: testModel, inputs: inputs) }
    try await eventually("the write is blocked", within: .seconds(60)) { peer.hasBlockedWrite }
    task.cancel()
    _ = try await within(.seconds(30), "cancelling") {
      await #expect(throws: CancellationError.self) { try await task.value }
    }
  }

  @Test func `keepalive ends calls to a frozen peer`() async throws {
    let peer = try FrozenPeer()
    let client = ServingClient(port: peer.port, clock: .init(JumpingClock())) {
      $0.timeout = .seconds(3600)
      $0.keepaliveTime = .seconds(1)
      $0.keepaliveTimeout = .seconds(1)
      $0.waitTimeout = .zero
    }
    let inputs = largeInput().inputs
    await #expect {
      try await client.predict(model: testModel, inputs: inputs)
    } throws: { error in
      (error as? ServingError)?.code == .unavailable
    }
  }
}
