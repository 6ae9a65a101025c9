import Foundation
import JobQueue
import RedisClient
import TestSupport
import Testing

/// Callbacks that were given up, in the operator's hands.
@Suite struct CallbackTests {
  /// Callbacks `0` to `count - 1`, every other of them of the queue `other`; the last one has expired.
  private func giveUp(_ count: Int, _ harness: KioskHarness) async throws {
    let now = try await harness.redis.serverTime()
    for index in 0..<count {
      let id = "job\(index):done"
      try await harness.redis.command("ZADD", Keys.deadCallbacks, now - 3_600_000 + index, id)
      if index == count - 1 { continue }
      try await harness.set(
        Keys.callback(id),
        [
          "url": "https://\(index % 3 == 0 ? "hooks.lab" : "example.org")/x?token=s3cret",
          "tries": "12", "last_error": "the receiver answered 500", "job": "job\(index)",
          "queue": index.isMultiple(of: 2) ? KioskHarness.queue : "other", "event": "done",
        ])
    }
  }

  private func outbox(_ harness: KioskHarness) async throws -> [String] {
    try await harness.redis.command("ZRANGE", Keys.callbacks, 0, -1).decode()
  }

  @Test(.redisServer) func `callbacks that were given up are listed, the latest first`()
    async throws
  {
    let harness = try KioskHarness()
    try await giveUp(8, harness)
    let json = try await harness.kiosk("dead", "--callbacks", "--json")
    let lines = try jsonLines(json.standardOutput)
    #expect(lines.map { $0["job"] as? String } == (0..<7).reversed().map { "job\($0)" })
    #expect(lines.last?["callback"] as? String == "job0:done")
    #expect(lines.last?["server"] as? String == "https://hooks.lab:443")
    #expect(lines.last?["tries"] as? Int == 12 && lines.last?["told"] as? String == "done")
    #expect((lines.last?["given_up_at"] as? String).flatMap { Timestamp($0) } != nil)

    let table = try await harness.kiosk(
      "dead", "segmentation", "--callbacks", "--match", "LAB", "--limit", "1")
    #expect(table.standardOutput.contains(/job6:done +segmentation +https:.*hooks.lab.* +12 +/))
    #expect(table.standardOutput.split(separator: "\n").count == 2)
    #expect(table.standardError.contains("--limit"))
    #expect(!(json.output + table.output).contains("s3cret"))
    let none = try await harness.kiosk("dead", "--callbacks", "--match", "nothing")
    #expect(none.exit == .code(0) && none.standardOutput == "")
  }

  @Test(.redisServer) func `callbacks are sent again by name, by match or all`() async throws {
    let harness = try KioskHarness()
    try await giveUp(8, harness)
    let named = try await harness.kiosk(
      "requeue", "--callbacks", "job1:done", "job7:done", "--json",
      environment: ["FAILURE_TTL": "500"])
    #expect(named.exit == .code(1))
    #expect(
      try jsonLines(named.standardOutput).map { $0["outcome"] as? String }
        == ["requeued", "missing"])
    #expect(try await outbox(harness) == ["job1:done"])
    #expect(try await harness.redis.command("HGET", Keys.callback("job1:done"), "tries") == "0")
    #expect((400...500).contains(try await harness.timeToLive(Keys.callback("job1:done"))))

    let refused = try await harness.kiosk("requeue", "--callbacks")
    #expect(refused.exit == .code(2) && refused.standardError.contains("6 callbacks"))
    let matched = try await harness.kiosk(
      "requeue", "--callbacks", "--match", "hooks.lab", "--yes")
    #expect(matched.standardOutput == "3 of 3 callbacks will be sent again\n")
    let rest = try await harness.kiosk("requeue", "--callbacks", "--yes")
    #expect(rest.exit == .code(0))
    #expect(rest.standardOutput == "3 of 3 callbacks will be sent again\n")
    #expect(try await outbox(harness).count == 7)
    let none = try await harness.kiosk("requeue", "--callbacks", "--yes")
    #expect(none.exit == .code(0) && none.standardOutput == "")
  }
}
