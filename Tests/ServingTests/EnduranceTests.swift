import Arrays
import Foundation
import ModelServing
import Serving
import TestSupport
import Testing

@Suite struct EnduranceTests {
  @Test func `two thousand channels are opened, used and closed`() async throws {
    let server = try ModelServerHost { _ in .status([]) }
    let port = server.port
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<500 {
            let client = ServingClient(port: port)
            let versions = try await client.status(of: testModel)
            #expect(versions.isEmpty)
          }
        }
      }
      try await group.waitForAll()
    }
    await server.stop()
  }

  private func residentBytes() throws -> Int {
    let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(
      separator: " ")
    return (Int(fields[1]) ?? 0) * Int(getpagesize())
  }

  @Test func `thousands of calls do not let memory grow`() async throws {
    let server = try ModelServerHost(handler: echo(.tensorContent))
    let client = ServingClient(port: server.port)
    let input = ["x": AnyNDArray.floats([64, 1024])]
    func call(_ times: Int) async throws {
      for _ in 0..<times {
        _ = try await client.predict(model: testModel, inputs: input)
      }
    }
    try await call(200)
    let before = try residentBytes()
    try await call(4000)
    // What 4,000 calls sent and got is 2 GiB; other tests run in this process at the same time.
    #expect(try residentBytes() - before < 700 << 20)
  }

  @Test func `lent memory is given back after every kind of end`() async throws {
    let replies: [ModelServerReply] = [
      .bytes([]), .bytes([0xff]), .failure(.internal, ""), .failure(.ok, ""),
    ]
    let server = try ModelServerHost { call in
      guard case .predict(let predict) = call.request, let number = predict.inputs["x"]?.shape[0]
      else { return .failure(.internal, "") }
      return number < replies.count ? replies[number] : await silent(call)
    }
    let client = ServingClient(port: server.port) {
      $0.timeout = .milliseconds(200)
      $0.maximumRetries = 0
    }
    for number in 0...replies.count {
      var input = ["x": AnyNDArray.floats([number, 100])]
      weak let storage = input["x"]?.storage
      _ = try? await client.predict(model: testModel, inputs: input)
      input = [:]
      try await eventually("the memory of call \(number) is given back", within: .seconds(60)) {
        storage == nil
      }
    }
  }
}
