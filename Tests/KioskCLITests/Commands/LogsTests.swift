import JobQueue
import RedisClient
import TestSupport
import Testing

/// What is told of a job afterwards.
@Suite struct LogsTests {
  @Test(.redisServer) func `logs shows events and lines of one job in the order of time`()
    async throws
  {
    let harness = try KioskHarness()
    let queue = harness.jobQueue()
    for key in ["a", "b"] { _ = try await queue.submit(key, ["status": "new"]) }
    let jobs = try await queue.claim(upTo: 2).jobs
    try #require(jobs.map(\.key) == ["a", "b"])
    _ = try await queue.update(jobs[0], ["progress": "40"], log: ["3 cells\u{1B}[2J", "5 cells"])
    _ = try await queue.fail(
      jobs[0], JobFailure(.input, reason: "ValueError: too dark", errorCode: "invalid_input"))

    let plain = try await harness.kiosk("logs", "a")
    #expect(plain.exit == .code(0), "\(plain.output)")
    let lines = plain.standardOutput.split(separator: "\n").map {
      $0.drop { $0 != " " }.dropFirst(2)
    }
    let worker = KioskHarness.worker
    try #require(lines.count == 6)
    #expect(lines[0].hasPrefix("[submitted]"))
    #expect(lines[1] == "[started] \(worker)")
    #expect(Set(lines[2...4]).isSuperset(of: ["[progress progress=40] \(worker)", "5 cells"]))
    #expect(!plain.standardOutput.contains("\u{1B}"))
    #expect(lines[5] == "[failed] \(worker)")

    let json = try jsonLines(try await harness.kiosk("logs", "a", "--json").standardOutput)
    #expect(
      json.compactMap { $0["what"] as? String } == ["submitted", "started", "progress", "failed"])
    #expect(json.compactMap { $0["line"] as? String } == ["3 cells\u{1B}[2J", "5 cells"])
    #expect(json.allSatisfy { $0["job"] as? String == "a" && $0["at"] is String })

    let unknown = try await harness.kiosk("logs", "nowhere")
    #expect(unknown.exit == .code(1) && unknown.standardError.contains("no such job"))
  }

  @Test(.redisServer) func `logs follows a job to its end`() async throws {
    let harness = try KioskHarness()
    let queue = harness.jobQueue()
    _ = try await queue.submit("a", ["status": "new"])
    let job = try #require(try await queue.claim(upTo: 1).jobs.first)
    let program = try await harness.start(["logs", "-f", "a"])
    try await eventually("it shows the start") {
      await program.status.standardOutput.contains("started")
    }
    _ = try await queue.update(job, [:], log: ["halfway"])
    _ = try await queue.finish(job, .done)
    #expect(try await program.waitForExit() == .code(0))
    let text = await program.status.standardOutput
    #expect(text.contains("halfway") && text.contains("[done]"))
    #expect(text.components(separatedBy: "started").count == 2)
  }
}
