import Foundation
import JobQueue
import RedisClient
import TestSupport
import Testing

/// The options of submit and run that say when and how a job runs.
@Suite struct DeliveryTests {
  private func control(_ key: String, _ harness: KioskHarness) async throws -> [String: String] {
    try await harness.redis.command("HGETALL", Keys.control(of: key)).decode()
  }

  private func key(_ status: ChildProcess.Status) throws -> String {
    #expect(status.exit == .code(0), "\(status.output)")
    return try #require(status.standardOutput.split(separator: "\n").last.map(String.init))
  }

  @Test(.redisServer) func `a job with --in or --at is in no list until it is due`() async throws {
    let harness = try KioskHarness()
    try harness.makeImage()
    let submit = ["submit", "cells.tif", "-t", "Segmentation"]
    let later = Timestamp(microseconds: Timestamp.now.microseconds + 7_200_000_000)
    var due: [Int] = []
    for option in [["--in", "1h"], ["--at", later.description]] {
      let program = try await harness.start(submit + option)
      try await program.waitForExit(within: .seconds(60))
      let key = try key(await program.status)
      let score: Double = try await harness.redis.command(
        "ZSCORE", Keys.delayed(in: KioskHarness.queue), key
      ).decode()
      due.append(Int(score))
    }
    let now = try await harness.redis.serverTime()
    #expect((3_500_000...3_600_000).contains(due[0] - now))
    #expect(abs(due[1] - later.microseconds / 1000) < 60_000)
    #expect(try await harness.redis.command("LLEN", KioskHarness.queue) == 0)
  }

  @Test(.redisServer) func `a job that no replica confirmed is accepted and said to be at risk`()
    async throws
  {
    let harness = try KioskHarness()
    try harness.makeImage()
    func submit() async throws -> ChildProcess.Status {
      try await harness.kiosk(
        "submit", "cells.tif", "-t", "segmentation", "--wait-replicas", "1", "--replica-timeout",
        "30s", "--json")
    }
    let alone = try await harness.kiosk(
      "submit", "cells.tif", "-t", "segmentation", "--wait-replicas", "1", "--replica-timeout",
      "0.02s")
    let key = try key(alone)
    #expect(alone.standardError.contains("note: job \(key) is accepted, do not submit it again"))
    #expect(alone.standardError.contains("0 of 1 replicas"))
    #expect(try await harness.takeJob().key == key)

    let replica = try await RedisServer.start([
      .arguments("--replicaof", "127.0.0.1", "\(harness.server.port)"), .noConnection,
    ])
    let safe = try await submit()
    #expect(safe.exit == .code(0) && !safe.standardError.contains("replicas"), "\(safe.output)")
    #expect(try jsonLines(safe.standardOutput).first?["replicas"] as? Int == 1)
    try await replica.stop()
  }

  @Test(.redisServer) func `an urgent job is next`() async throws {
    let harness = try KioskHarness()
    try harness.makeImage()
    _ = try await harness.makeJob("other.tif")
    let key = try key(await harness.kiosk("submit", "cells.tif", "-t", "segmentation", "--urgent"))
    #expect(try await harness.takeJob().key == key)
  }

  @Test(.redisServer) func `retries, time limit and callbacks are remembered with the job`()
    async throws
  {
    let harness = try KioskHarness()
    try harness.makeImage()
    let key = try key(
      await harness.kiosk(
        "submit", "cells.tif", "-t", "segmentation", "--retry", "5:10,30", "--timeout", "10m",
        "--callback", "https://a.example/x?y=1", "--callback", "http://b.example:8080/"))
    let control = try await control(key, harness)
    #expect(control["max"] == "5" && control["intervals"] == "10000,30000")
    #expect(control["timeout"] == "600000")
    let callbacks = try JSONDecoder().decode(
      [String].self, from: Data(try #require(control["callbacks"]).utf8))
    #expect(callbacks == ["https://a.example/x?y=1", "http://b.example:8080/"])
  }

  @Test(.redisServer) func `run gives the job's own time limit another name`() async throws {
    let harness = try KioskHarness()
    try harness.makeImage()
    let program = try await harness.start([
      "run", "cells.tif", "-t", "segmentation", "--job-timeout", "90", "--timeout", "0.5", "-o",
      "o",
    ])
    #expect(try await program.waitForExit(within: .seconds(60)) == .code(4))
    let job = try await harness.takeJob()
    #expect(try await control(job.key, harness)["timeout"] == "90000")
  }

  @Test(.redisServer) func `the same idempotency key makes one job and keeps one input`()
    async throws
  {
    let harness = try KioskHarness()
    try harness.makeImage()
    let arguments = [
      "submit", "cells.tif", "-t", "segmentation", "--idempotency-key", "plate 7", "--json",
    ]
    var lines: [[String: Any]] = []
    for _ in 0..<2 {
      let program = try await harness.start(arguments)
      #expect(try await program.waitForExit(within: .seconds(60)) == .code(0))
      lines += try jsonLines(await program.status.standardOutput)
    }
    #expect(lines.map { $0["duplicate"] as? Bool } == [false, true])
    #expect(lines[0]["job"] as? String == lines[1]["job"] as? String)
    #expect(try await harness.redis.command("LLEN", KioskHarness.queue) == 1)
    let stored = FileManager.default.enumerator(atPath: harness.bucket.path)?.allObjects ?? []
    #expect(stored.count { "\($0)".hasSuffix("cells.tif") } == 1)
    // Another queue is another submission.
    let other = try await harness.kiosk(
      "submit", "cells.tif", "-t", "x", "--idempotency-key", "plate 7", "--json")
    #expect(try jsonLines(other.standardOutput).first?["duplicate"] as? Bool == false)
  }

  @Test(.redisServer) func `a dry run shows how jobs would be delivered`() async throws {
    let harness = try KioskHarness()
    try harness.makeImage()
    let plain = try await harness.kiosk(
      "submit", "cells.tif", "-t", "x", "--dry-run", "--in", "90", "--retry", "2:5",
      "--callback", "http://a.example/")
    #expect(plain.exit == .code(0))
    #expect(
      plain.standardOutput.hasSuffix(
        "-> queue x in=90 attempts=2 pauses=5 callbacks=http://a.example/\n"))
    let json = try await harness.kiosk(
      "run", "cells.tif", "-t", "x", "--dry-run", "--urgent", "--job-timeout", "5", "--json")
    let delivery = try jsonLines(json.standardOutput).first?["delivery"] as? [String: Any]
    #expect(delivery?["urgent"] as? Bool == true && delivery?["timeout"] as? Int == 5)
    #expect(try await harness.redis.command("DBSIZE") == 0)
  }

  @Test(
    .redisServer,
    arguments: [
      ["--in", "soon"], ["--in", "5m", "--at", "2999-01-01T00:00"], ["--urgent", "--in", "5m"],
      ["--at", "2020-01-01T00:00Z"], ["--at", "2999-01-01T00:00"], ["--at", "2026-02-30T00:00"],
      ["--retry", "0"], ["--callback", "ftp://a.example/"], ["--callback", "http://"],
      ["--callback", "file:///etc/passwd"], ["--idempotency-key", ""], ["--timeout", "-1"],
    ])
  func `options that cannot be meant give 2 and send nothing`(options: [String]) async throws {
    let harness = try KioskHarness()
    try harness.makeImage()
    let program = try await harness.start(["submit", "cells.tif", "-t", "x"] + options)
    #expect(try await program.waitForExit(within: .seconds(60)) == .code(2))
    #expect(await program.status.standardOutput == "")
    #expect(try await harness.redis.command("DBSIZE") == 0)
  }

  @Test(.redisServer) func `an idempotency key needs files of different names`() async throws {
    let harness = try KioskHarness()
    try harness.makeImage("a/cells.tif")
    try harness.makeImage("b/cells.tif")
    let status = try await harness.kiosk(
      "submit", "a/cells.tif", "b/cells.tif", "-t", "x", "--idempotency-key", "k")
    #expect(status.exit == .code(2) && status.standardError.contains("cells.tif"))
    #expect(try await harness.redis.command("DBSIZE") == 0)
  }
}
