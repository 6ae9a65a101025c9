import Arrays
import ModelServing
import Retrying
import Serving
import TestSupport
import Testing

@Suite struct RetryPolicyTests {
  private let clock = JumpingClock()
  private let input = ["x": AnyNDArray.floats([1])]

  /// A client of a server that answers with `codes` in turn and then well.
  private func client(
    _ codes: [StatusCode], calls: Tally = Tally(),
    _ change: (inout ServingConfiguration) -> Void = { _ in }
  ) throws -> (ServingClient, ModelServerHost) {
    let server = try ModelServerHost { call in
      let number = calls.next()
      return number <= codes.count
        ? .failure(codes[number - 1], "trouble \(number)") : await echo()(call)
    }
    return (ServingClient(port: server.port, clock: AnyClock(clock), change), server)
  }

  @Test func `an absent server is waited for, and the caller is told`() async throws {
    let pauses = Watched<[ServingPause]>([])
    let (client, server) = try client(Array(repeating: .unavailable, count: 40))
    let context = CallContext(onPause: { pause in await pauses.update { $0.append(pause) } })
    let outputs = try await client.predict(
      model: testModel, inputs: input, outputs: .all, context: context)
    await server.stop()

    #expect(outputs.count == 1)
    #expect(clock.sleeps.count == 40)
    #expect(clock.sleeps.allSatisfy { $0 <= .seconds(30) })
    #expect(clock.sleeps[0] <= .seconds(1))
    let told = await pauses.value
    #expect(told.count == 40)
    #expect(
      told.allSatisfy { $0.isServerAway && $0.description.hasPrefix("model server starting") })
  }

  @Test func `waiting for an absent server ends at its limit`() async throws {
    let server = try ModelServerHost { _ in .failure(.unavailable, "starting") }
    let client = ServingClient(port: server.port, clock: AnyClock(clock)) {
      $0.waitTimeout = .seconds(60)
    }
    await #expect {
      try await client.predict(model: testModel, inputs: input)
    } throws: { error in
      guard let error = error as? ServingError else { return false }
      return error.code == .unavailable && error.message == "starting"
        && error.elapsed == .seconds(60) && error.tries > 2
        && error.description.contains("check TF_HOST and TF_PORT")
    }
  }

  @Test func `overloads are retried as often as allowed`() async throws {
    let calls = Tally()
    let (client, server) = try client(
      Array(repeating: .resourceExhausted, count: 9), calls: calls
    ) { $0.maximumRetries = 5 }
    await #expect {
      try await client.predict(model: testModel, inputs: input)
    } throws: { error in
      guard let error = error as? ServingError else { return false }
      return error.code == .resourceExhausted && error.tries == 6 && error.message == "trouble 6"
    }
    await server.stop()
    #expect(calls.value == 6)
    #expect(clock.sleeps.count == 5)
    for (sleep, whole) in zip(clock.sleeps, [3, 6, 12, 24, 30] as [Double]) {
      #expect((.seconds(whole / 2) ... .seconds(whole)).contains(sleep))
    }
  }

  @Test func `an absent server costs no retry`() async throws {
    let codes: [StatusCode] = [
      .unavailable, .resourceExhausted, .unavailable, .resourceExhausted, .unavailable,
    ]
    let (client, server) = try client(codes) { $0.maximumRetries = 2 }
    #expect(try await client.predict(model: testModel, inputs: input).count == 1)
    await server.stop()
  }

  @Test func `the process has a budget of retries`() async throws {
    let server = try ModelServerHost { _ in .failure(.resourceExhausted, "busy") }
    let client = ServingClient(port: server.port, clock: AnyClock(clock)) { $0.maximumRetries = 4 }
    var tries = 0
    for _ in 0..<5 {
      do {
        _ = try await client.predict(model: testModel, inputs: input)
      } catch let error as ServingError {
        tries += error.tries
        #expect(error.code == .resourceExhausted)
      }
    }
    #expect(tries == 5 + 10)
  }

  @Test func `a retry after a missed deadline has twice the time, up to four times`() async throws {
    let deadlines = Watched<[Duration]>([])
    let server = try ModelServerHost { call in
      await deadlines.update { $0.append(call.timeLeft) }
      return .failure(.deadlineExceeded, "slow")
    }
    let client = ServingClient(port: server.port, clock: AnyClock(clock)) {
      $0.timeout = .seconds(100)
      $0.maximumRetries = 3
    }
    await #expect(throws: ServingError.self) {
      try await client.predict(model: testModel, inputs: input)
    }
    let seen = await deadlines.value
    #expect(seen.count == 4)
    for (left, whole) in zip(seen, [100, 200, 400, 400] as [Double]) {
      // A busy machine may lose some of it on the way, and gRPC rounds up to a hundredth.
      #expect((.seconds(whole - 50) ... .seconds(whole * 1.01)).contains(left))
    }
  }

  @Test func `a call waits until a server appears on its port`() async throws {
    let port = try freePort()
    let client = ServingClient(port: port)
    let (pauses, recorder) = AsyncStream<ServingPause>.makeStream()
    let context = CallContext(onPause: { recorder.yield($0) })
    let task = Task {
      try await client.predict(model: testModel, inputs: input, outputs: .all, context: context)
    }
    for await pause in pauses {
      #expect(pause.error.code == .unavailable)
      break
    }
    let server = try ModelServerHost(port: port, handler: echo())
    #expect(try await task.value.count == 1)
    await server.stop()
  }

  @Test func `a server that restarts is found again`() async throws {
    var server = try ModelServerHost(handler: echo())
    let port = server.port
    let client = ServingClient(port: port)
    for _ in 0..<5 {
      #expect(try await client.predict(model: testModel, inputs: input).count == 1)
      await server.stop()
      server = try ModelServerHost(port: port, handler: echo())
    }
    #expect(try await client.predict(model: testModel, inputs: input).count == 1)
    await server.stop()
  }

  @Test func `cancelling ends the wait for an absent server`() async throws {
    let port = try RefusingPort()
    defer { withExtendedLifetime(port) {} }
    let client = ServingClient(port: port.number)
    let (pauses, recorder) = AsyncStream<Void>.makeStream()
    let context = CallContext(onPause: { _ in recorder.yield() })
    let task = Task {
      try await client.predict(model: testModel, inputs: input, outputs: .all, context: context)
    }
    for await _ in pauses { break }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test func `connections are replaced when they are old, and no call fails`() async throws {
    let server = try ModelServerHost(handler: echo())
    let client = ServingClient(port: server.port, clock: AnyClock(clock)) {
      $0.connectionMaximumAge = .seconds(10)
    }
    for _ in 0..<200 {
      #expect(try await client.predict(model: testModel, inputs: input).count == 1)
      clock.advance(by: .seconds(5))
    }
    #expect(clock.sleeps.isEmpty)
  }
}
