import MetricsTestKit
import ModelServing
import Retrying
import Serving
import TestSupport
import Testing

@Suite struct MetricsTests {
  private let metrics = TestMetrics()
  private let clock = JumpingClock()
  private let labels = [("model", "NuclearSegmentation"), ("version", "6")]

  @Test func `calls, retries and bytes are counted by model, version and code`() async throws {
    let calls = Tally()
    let server = try ModelServerHost { call in
      calls.next() == 2 ? .failure(.unavailable, "away") : await echo(.tensorContent)(call)
    }
    let client = ServingClient(
      .test(port: server.port), clock: AnyClock(clock), metrics: metrics)
    for _ in 0..<2 {
      _ = try await client.predict(model: testModel, inputs: ["x": .floats([8, 2])])
    }
    await server.stop()

    func total(_ name: String, _ labels: [(String, String)]) throws -> Int64 {
      try metrics.expectCounter(name, labels).totalValue
    }
    #expect(try total("kiosk_predict_requests_total", labels + [("code", "OK")]) == 2)
    #expect(try total("kiosk_predict_requests_total", labels + [("code", "UNAVAILABLE")]) == 1)
    #expect(try total("kiosk_predict_retries_total", labels + [("code", "UNAVAILABLE")]) == 1)
    #expect(try total("kiosk_predict_bytes_total", [("direction", "out")]) == 128)
    #expect(try total("kiosk_predict_bytes_total", [("direction", "in")]) > 128)
    #expect(
      try metrics.expectRecorder("kiosk_predict_batch_size", labels).values == [8, 8, 8])
    #expect(try metrics.expectTimer("kiosk_predict_duration_seconds", labels).values.count == 3)
    let model = [("model", "NuclearSegmentation")]
    #expect(try metrics.expectGauge("kiosk_predict_in_flight", model).lastValue == 0)
    #expect(try metrics.expectGauge("kiosk_predict_concurrency_limit", model).lastValue == 3)
  }

  @Test func `models no server knows do not become labels`() async throws {
    let server = try ModelServerHost { _ in .failure(.notFound, "no such model") }
    let client = ServingClient(.test(port: server.port), metrics: metrics)
    for version in 0..<5 {
      let model = ModelName(name: "made up", version: version)
      await #expect(throws: ServingError.self) {
        try await client.predict(model: model, inputs: ["x": .floats([1])])
      }
    }
    await server.stop()
    let unknown = [("model", "unknown"), ("version", ""), ("code", "NOT_FOUND")]
    #expect(try metrics.expectCounter("kiosk_predict_requests_total", unknown).totalValue == 5)
  }

  @Test func `series with known labels exist from the start`() throws {
    let client = ServingClient(.test(port: 1), metrics: metrics)
    for result in ["memory", "redis", "server", "error"] {
      let counter = try metrics.expectCounter(
        "kiosk_model_metadata_requests_total", [("result", result)])
      #expect(counter.totalValue == 0)
    }
    withExtendedLifetime(client) {}
  }
}
