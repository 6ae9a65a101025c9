import Foundation
import RedisClient
import TestSupport
import Testing

@Suite struct StatusTests {
  @Test(.redisServer) func `status shows stage times, error and trace of a job`() async throws {
    let harness = try KioskHarness()
    let trace = "0af7651916cd43dd8448eb211c80319c"
    let key = try await harness.makeJob(
      "a.tif",
      [
        "status": "failed", "progress": "75", "download_time": "0.0123",
        "prediction_time": "12.34", "total_time": "185.2", "error_code": "timeout",
        "reason": "first\nTimeoutError: took too long",
        "traceparent": "00-\(trace)-b7ad6b7169203331-01",
      ])
    let status = try await harness.kiosk("status", key)
    #expect(status.exit == .code(1))
    let rows = Dictionary(
      uniqueKeysWithValues: status.standardOutput.split(separator: "\n").map { line in
        (String(line.prefix(12)).trimmingCharacters(in: .whitespaces), String(line.dropFirst(12)))
      })
    #expect(rows["job"] == key)
    #expect(rows["file"] == "a.tif")
    #expect(rows["status"] == "failed (75%)")
    #expect(rows["download"] == "0.01 s")
    #expect(rows["prediction"] == "12.3 s")
    #expect(rows["total"] == "3 min 5 s")
    #expect(rows["error"] == "TimeoutError: took too long")
    #expect(rows["error code"] == "timeout")
    #expect(rows["trace"] == trace)
    #expect(!status.standardOutput.contains("first"))
    #expect(try await harness.kiosk("status", "-v", key).standardOutput.contains("first"))
    #expect(try await harness.timeToLive(key) == -1)
  }

  @Test(.redisServer) func `a waiting job shows its position from the end that runs next`()
    async throws
  {
    let harness = try KioskHarness()
    let first = try await harness.makeJob("a.tif")
    let second = try await harness.makeJob("b.tif")
    let status = try await harness.kiosk("status", second, first, "--json")
    #expect(status.exit == .code(0))
    let lines = try jsonLines(status.standardOutput)
    #expect(lines.map { $0["position"] as? Int } == [2, 1])
    #expect(lines.map { $0["job"] as? String } == [second, first])
    let fields = try #require(lines.first?["fields"] as? [String: String])
    #expect(fields["original_name"] == "b.tif")
    #expect(try await harness.kiosk("status", first).standardOutput.contains("position 1 in queue"))
  }

  @Test(.redisServer) func `values that would steer the terminal are shown without effect`()
    async throws
  {
    let harness = try KioskHarness()
    let key = try await harness.makeJob("a\u{1B}]0;x\u{7}.tif", ["status": "st\u{1B}[2J"])
    let status = try await harness.kiosk("status", key)
    #expect(!status.output.contains("\u{1B}"))
    #expect(!status.output.contains("\u{7}"))
  }
}
