import Foundation
import RedisClient
import TestSupport
import Testing

@Suite struct WatchTests {
  @Test(.redisServer) func `watch ends when all jobs have, and tells each change once`()
    async throws
  {
    let harness = try KioskHarness()
    let first = try await harness.makeJob("a.tif")
    let second = try await harness.makeJob("b.tif")
    let program = try await harness.start(["watch", first, second])
    try await program.wait(forOutput: "a.tif: new (position 1 in queue)\n")
    try await program.wait(forOutput: "b.tif: new (position 2 in queue)\n")
    for percent in [20, 40, 60] {
      try await harness.set(first, ["status": "predicting", "progress": "\(percent)"])
      try await program.wait(forOutput: "a.tif: predicting\n")
    }
    try await harness.finish(first, output: "output/x.zip")
    try await program.wait(forOutput: "a.tif: done")
    #expect(await program.status.exit == nil)
    try await harness.finish(second, output: "output/y.zip")
    #expect(try await program.waitForExit() == .code(0))
    let text = await program.status.standardError
    #expect(text.components(separatedBy: "a.tif: predicting").count == 2)
    #expect(await program.status.standardOutput == "")
  }

  @Test(.redisServer) func `a finished job gets an end, but never a later one`() async throws {
    let harness = try KioskHarness()
    let fresh = try await harness.makeJob("a.tif", ["status": "done"])
    let short = try await harness.makeJob("b.tif", ["status": "done"])
    let long = try await harness.makeJob("c.tif", ["status": "done"])
    try await harness.redis.command("EXPIRE", short, 60)
    try await harness.redis.command("EXPIRE", long, 100_000)
    #expect(
      try await harness.kiosk("watch", fresh, short, long, "--expire", "500").exit == .code(0))
    #expect((490...500).contains(try await harness.timeToLive(fresh)))
    #expect((50...60).contains(try await harness.timeToLive(short)))
    #expect((490...500).contains(try await harness.timeToLive(long)))
  }

  @Test(.redisServer) func `a job whose record goes while it is watched is told, not waited for`()
    async throws
  {
    let harness = try KioskHarness()
    let key = try await harness.makeJob("a.tif", ["status": "predicting"])
    let program = try await harness.start(["watch", key])
    try await program.wait(forOutput: "a.tif: predicting")
    try await harness.redis.command("DEL", key)
    #expect(try await program.waitForExit() == .code(1))
    #expect(await program.status.standardError.contains("error: \(key): there is no such job"))
    #expect(try await harness.redis.command("EXISTS", key) == 0)
  }

  @Test(.redisServer, arguments: ["watch", "status", "fetch"])
  func `an unknown key gives 1, and the other jobs are served`(command: String) async throws {
    let harness = try KioskHarness()
    let key = try await harness.makeJob(
      "a.tif", ["status": "done", "output_file_name": harness.putLabels(stem: "a")])
    // A queue's name is a key, too, but no job.
    let status = try await harness.kiosk(command, "no:such:job", KioskHarness.queue, key)
    #expect(status.exit == .code(1))
    #expect(status.standardError.contains("error: no:such:job: there is no such job"))
    #expect(status.standardError.contains("error: \(KioskHarness.queue): there is no such job"))
    #expect(status.output.contains("a.tif"))
    #expect(status.output.contains("done") || status.output.contains("2 cells"))
  }

  @Test(.redisServer) func `failed files of a zip job have a line each`() async throws {
    let harness = try KioskHarness()
    let child = try await harness.makeJob("sub folder/b.tif", ["status": "failed"])
    let parent = try await harness.makeJob("all.zip", ["status": "waiting", "progress": "50"])
    let program = try await harness.start(["watch", parent])
    try await program.wait(forOutput: "all.zip: waiting")
    var form = URLComponents()
    form.queryItems = [
      URLQueryItem(name: child, value: "first line\nValueError: too large"),
      URLQueryItem(name: "gone:child:1", value: "Error: 100%"),
    ]
    let failures = try #require(form.percentEncodedQuery).replacing("%20", with: "+")
    try await harness.set(parent, ["failures": failures])
    try await harness.finish(parent, output: "output/x.zip")
    #expect(try await program.waitForExit() == .code(1))
    let lines = await program.status.standardError.split(separator: "\n")
    #expect(lines.contains("error: sub folder/b.tif: ValueError: too large"))
    #expect(lines.contains("error: gone:child:1: Error: 100%"))
  }

  @Test(.redisServer) func `a Redis that comes back is watched on`() async throws {
    let harness = try KioskHarness()
    let key = try await harness.makeJob("a.tif", ["status": "predicting"])
    let program = try await harness.start(["watch", key])
    try await program.wait(forOutput: "a.tif: predicting")
    try await harness.redis.command("SAVE")
    try await harness.server.kill()
    try await harness.server.start()
    try await eventually("the job is back") {
      (try? await harness.redis.command("EXISTS", key)) == 1
    }
    try await harness.set(key, ["status": "done"])
    #expect(try await program.waitForExit() == .code(0))
  }
}
