import Foundation
import Glibc
import JobQueue
import RedisClient
import TestSupport
import Testing

/// What operators look at.
@Suite struct QueuesTests {
  @Test(.redisServer) func `queues shows counts, rate and what keeps a queue`() async throws {
    let harness = try KioskHarness()
    let queue = harness.jobQueue()
    try await harness.fillQueue()
    try await queue.pause()
    let status = try await harness.kiosk("queues", "--json")
    #expect(status.exit == .code(0), "\(status.output)")
    let line = try #require(try jsonLines(status.standardOutput).first)
    let numbers = ["waiting": 1, "processing": 1, "backlog": 2, "delayed": 1, "dead": 1]
    for (name, number) in numbers { #expect(line[name] as? Int == number, "\(name)") }
    #expect(line["queue"] as? String == KioskHarness.queue && line["paused"] as? Bool == true)
    #expect(line["workers"] as? Int == 1 && line["done_per_minute"] as? Int == 2)
    #expect(line["eta_seconds"] == nil)

    let plain = try await harness.kiosk("queues", "Segmentation", "unknown")
    let cells = plain.standardOutput.split(separator: "\n").map {
      $0.split(separator: /\ {2,}/).map(String.init)
    }
    #expect(cells.count == 3)
    #expect(cells.first?.first == "QUEUE")
    #expect(cells[1].prefix(7) == ["segmentation", "1", "1", "1", "0", "1", "1"])
    #expect(cells[1].last == "paused" && cells[1].contains("2.0/min"))
    #expect(cells[2] == ["unknown", "0", "0", "0", "0", "0", "0", "-", "-", "-"])
  }

  @Test(.redisServer) func `queues that jobs were pushed to without a worker are found`()
    async throws
  {
    let harness = try KioskHarness()
    try await harness.redis.command("HSET", "x:1", "status", "new")
    try await harness.redis.command("LPUSH", "predict", "x:1")
    let status = try await harness.kiosk("queues")
    #expect(status.standardOutput.contains("predict"))
    #expect(status.standardOutput.contains("no worker"))
  }

  @Test(.redisServer) func `a watched table is redrawn in place and cut to the terminal`()
    async throws
  {
    let harness = try KioskHarness()
    let name = "a-queue-with-a-name-of-more-than-forty-letters-細胞"
    let queue = harness.jobQueue(name)
    _ = try await queue.submit("a", ["status": "new", "created_at": Timestamp.now.description])
    try await queue.setLimits(QueueLimits(concurrency: 3, rate: 2))
    let terminal = try PseudoTerminal()
    let program = try await terminal.start(
      BuiltProduct.path("kiosk"), ["queues", "--watch"], environment: harness.environment,
      in: harness.folder.path)
    try await terminal.wait(for: "WAIT")
    for key in ["b", "c"] { _ = try await queue.submit(key, ["status": "new"]) }
    try await eventually("it shows three") {
      terminal.screen.text.split(separator: "\n").last?.contains(" 3 ") == true
    }
    await program.send(SIGINT)
    #expect(try await program.waitForExit() == .code(130))
    let screen = terminal.screen
    #expect(!screen.hasWrapped)
    #expect(screen.text.components(separatedBy: "QUEUE").count == 2, "\(screen.text)")
    #expect(screen.text.contains("…"))
  }

  @Test(.redisServer) func `jobs lists what has not ended, or a state`() async throws {
    let harness = try KioskHarness()
    try await harness.fillQueue()
    let live = try await harness.kiosk("jobs", "segmentation", "--json")
    #expect(live.exit == .code(0), "\(live.output)")
    let lines = try jsonLines(live.standardOutput)
    #expect(lines.map { $0["job"] as? String } == ["waiting", "running", "delayed"])
    #expect(lines.map { $0["state"] as? String } == ["waiting", "processing", "delayed"])
    #expect(lines[0]["position"] as? Int == 1 && lines[1]["worker"] as? String == "pod-1")
    #expect(lines[2]["due_at"] is String)
    for (state, key) in [("done", "done"), ("failed", "failed")] {
      let status = try await harness.kiosk("jobs", "segmentation", "--state", state, "--json")
      #expect(try jsonLines(status.standardOutput).map { $0["job"] as? String } == [key])
    }
    let none = try await harness.kiosk("jobs", "segmentation", "--state", "parked")
    #expect(none.exit == .code(0) && none.standardOutput == "")
    #expect(try await harness.kiosk("jobs", "segmentation", "--state", "x").exit == .code(2))
  }

  @Test(.redisServer) func `a match looks at key, file name and error, a limit cuts`()
    async throws
  {
    let harness = try KioskHarness()
    let queue = harness.jobQueue()
    for index in 0..<30 {
      _ = try await queue.submit(
        "job\(index)", ["status": "new", "original_name": "Plate \(index).TIF"])
    }
    try await harness.set("job7", ["last_error": "predict_unavailable: away"])
    func keys(_ arguments: String...) async throws -> [String] {
      let program = try await harness.start(["jobs", "segmentation", "--json"] + arguments)
      try await program.waitForExit(within: .seconds(60))
      return try jsonLines(await program.status.standardOutput).compactMap { $0["job"] as? String }
    }
    #expect(try await keys("--match", "plate 2.tif") == ["job2"])
    #expect(try await keys("--match", "UNAVAILABLE") == ["job7"])
    #expect(try await keys("--match", "JOB1", "--limit", "3") == ["job1", "job10", "job11"])
    let status = try await harness.kiosk("jobs", "segmentation", "--limit", "29")
    #expect(status.standardError.contains("there are more"))
    #expect(status.standardOutput.split(separator: "\n").count == 30)
    #expect(try await harness.kiosk("jobs", "segmentation", "--limit", "30").standardError == "")
  }

  @Test(.redisServer) func `names that would steer the terminal are shown without effect`()
    async throws
  {
    let harness = try KioskHarness()
    let queue = harness.jobQueue()
    _ = try await queue.submit(
      "a\u{1B}]0;x\u{7}\n", ["status": "\u{1B}[2J", "last_error": "\u{1B}"])
    _ = try await queue.claim(upTo: 1)
    _ = try await harness.jobQueue(worker: "w\u{1B}[1m").heartbeat([], card: ["version": "\u{1B}"])
    for command in ["jobs", "queues", "workers"] {
      let status = try await harness.kiosk(command, "segmentation")
      #expect(status.exit == .code(0))
      #expect(!status.output.contains("\u{1B}") && !status.output.contains("\u{7}"))
      #expect(status.standardOutput.split(separator: "\n").count >= 2)
    }
  }

  @Test(.redisServer) func `workers shows what they do, and which are silent`() async throws {
    let harness = try KioskHarness()
    try await harness.fillQueue()
    _ = try await harness.jobQueue(worker: "lost").heartbeat([])
    try await harness.redis.command(
      "ZADD", Keys.workers(of: KioskHarness.queue), try await harness.redis.serverTime() - 90_000,
      "lost")
    let status = try await harness.kiosk("workers", "--json")
    #expect(status.exit == .code(0), "\(status.output)")
    let lines = try jsonLines(status.standardOutput)
    #expect(lines.map { $0["worker"] as? String } == ["lost", "pod-1"])
    #expect(lines.map { $0["state"] as? String } == ["silent", "running"])
    let jobs = try #require(lines[1]["jobs"] as? [[String: Any]])
    #expect(jobs.map { $0["job"] as? String } == ["running"])
    #expect(jobs.first?["stage"] as? String == "started" && lines[1]["version"] as? String == "9")
    let plain = try await harness.kiosk("workers", "segmentation")
    #expect(plain.standardOutput.contains(/pod-1 .*running .* 9 +running +started/))
  }

  @Test(.redisServer) func `a bucket that cannot be used is no obstacle`() async throws {
    let harness = try KioskHarness()
    try await harness.fillQueue()
    let status = try await harness.kiosk("queues", environment: ["STORAGE_BUCKET": "s3://far"])
    #expect(status.exit == .code(0))
  }
}
