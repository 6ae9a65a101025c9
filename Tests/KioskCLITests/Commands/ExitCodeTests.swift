import Foundation
import Glibc
import RedisClient
import TestSupport
import Testing

@Suite struct ExitCodeTests {
  @Test(
    .redisServer,
    arguments: [
      (["run", "missing.tif", "-t", "segmentation"], "missing.tif: No such file"),
      (["run", "cells.tif"], "--type"),
      (["run", "cells.tif", "-t", "a:b"], "--type"),
      (["run", "empty.tif", "-t", "segmentation"], "empty.tif is empty"),
      (["run", "images", "-t", "segmentation"], "--recursive"),
      (["run", "cells.tif", "-t", "segmentation", "--scale", "-1"], "--scale"),
      (["run", "cells.tif", "-t", "segmentation", "--channels", "0;1"], "--channels"),
      (["run", "cells.tif", "-t", "segmentation", "--dimension-order", "XB"], "--dimension-order"),
      (["run", "cells.tif", "-t", "segmentation", "--model", "Nuclei"], "--model"),
      (["run", "cells.tif", "-t", "segmentation", "--cuts", "-1"], "--cuts"),
      (["submit", "cells.tif", "-t", "segmentation", "--cuts", "many"], "--cuts"),
      (["submit", "cells.tif", "-t", "segmentation", "--field-size", "0"], "--field-size"),
      (["submit", "cells.tif", "-t", "segmentation", "--field-size", "60"], "--field-size"),
      (["submit", "-t", "segmentation"], "file"), (["fetch", "a", "--timeout", "0"], "--timeout"),
      (["watch", "--json"], "job"),
      (["run", "cells.tif", "-t", "s", "--redis-port", "many"], "REDIS_PORT"),
      (["run", "cells.tif", "-t", "s", "--storage-bucket", "folder"], "STORAGE_BUCKET"),
      (["run", "cells.tif", "-t", "s", "-o", "cells.tif/out"], "cells.tif/out"),
      (["submit", "cells.tif", "-t", "s", "--wait-replicas", "0"], "--wait-replicas"),
      (["submit", "cells.tif", "-t", "s", "--replica-timeout", "1s"], "--wait-replicas"),
      (["dance"], "dance"), (["status"], "job"),
    ])
  func `wrong usage gives 2 and names what is wrong`(arguments: [String], word: String)
    async throws
  {
    let harness = try KioskHarness()
    try harness.makeImage()
    try harness.makeImage("images/a.tif")
    try Data().write(to: URL(filePath: harness.folder.file("empty.tif")))
    let program = try await harness.start(arguments)
    #expect(try await program.waitForExit() == .code(2))
    let status = await program.status
    #expect(status.standardError.contains(word), "\(status.standardError)")
    #expect(status.standardOutput == "")
    #expect(try await harness.redis.command("DBSIZE") == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: harness.bucket.path) == [])
  }

  @Test(.redisServer) func `nothing is sent when one of several files is missing`() async throws {
    let harness = try KioskHarness()
    try harness.makeImage()
    let status = try await harness.kiosk("submit", "cells.tif", "no.tif", "-t", "segmentation")
    #expect(status.exit == .code(2))
    #expect(try await harness.redis.command("DBSIZE") == 0)
  }

  @Test(.redisServer, arguments: ["status", "watch", "fetch", "submit", "run"])
  func `a Redis that is not there gives 3 and names it`(command: String) async throws {
    let harness = try KioskHarness()
    try harness.makeImage()
    try await harness.server.stop()
    let subject = ["submit", "run"].contains(command) ? ["cells.tif", "-t", "x"] : ["some:job"]
    let program = try await harness.start([command] + subject)
    #expect(try await program.waitForExit() == .code(3))
    let status = await program.status
    #expect(status.standardOutput == "")
    #expect(status.standardError.contains("127.0.0.1:\(harness.server.port)"))
    #expect(status.standardError.contains("REDIS_HOST"))
  }

  @Test(.redisServer, arguments: ["run", "submit", "fetch"])
  func `a bucket that cannot be opened gives 3 and names it`(command: String) async throws {
    let harness = try KioskHarness()
    try harness.makeImage()
    let subject = command == "fetch" ? ["some:job"] : ["cells.tif", "-t", "x"]
    let program = try await harness.start(
      [command] + subject + ["--storage-bucket", "file:///dev/null/bucket"])
    #expect(try await program.waitForExit() == .code(3))
    #expect(await program.status.standardError.contains("/dev/null/bucket"))
    #expect(try await harness.redis.command("DBSIZE") == 0)
  }

  @Test(.redisServer(.password("secret"))) func `a refused password gives 3 without showing it`()
    async throws
  {
    let harness = try KioskHarness()
    let status = try await harness.kiosk(
      "status", "some:job", environment: ["REDIS_PASSWORD": "hunter2"])
    #expect(status.exit == .code(3))
    #expect(status.standardError.contains("REDIS_PASSWORD"))
    #expect(!status.output.contains("hunter2"))
  }

  @Test(.redisServer, arguments: ["run", "watch"])
  func `a time limit gives 4 and leaves the job and its key`(command: String) async throws {
    let harness = try KioskHarness()
    try harness.makeImage()
    let existing = command == "watch" ? try await harness.makeJob() : nil
    let subject = existing.map { [$0] } ?? ["cells.tif", "-t", "segmentation"]
    let program = try await harness.start([command] + subject + ["--timeout", "0.3"])
    #expect(try await program.waitForExit() == .code(4))
    let job = try await harness.takeJob()
    let status = await program.status
    #expect(status.standardOutput == job.key + "\n")
    #expect(status.standardError.contains("--timeout"))
    #expect(job.fields["status"] == "new")
    #expect(try await harness.timeToLive(job.key) == -1)
  }

  @Test(.redisServer, arguments: [SIGINT, SIGTERM])
  func `an interruption gives 130, prints the keys and leaves the jobs alone`(signal: Int32)
    async throws
  {
    let harness = try KioskHarness()
    try harness.makeImage("a.tif")
    try harness.makeImage("b.tif")
    let program = try await harness.start(
      ["run", "a.tif", "b.tif", "-t", "segmentation", "--jobs", "1", "-o", "out"])
    let first = try await harness.takeJob()
    try await harness.finish(first.key, output: harness.putLabels(stem: "a"))
    let second = try await harness.takeJob()
    try await harness.set(second.key, ["status": "predicting"])
    try await program.wait("the first result and the second's start") {
      $0.output.contains("2 cells") && $0.output.contains("b.tif: predicting")
    }
    await program.send(signal)

    #expect(try await program.waitForExit() == .code(130))
    let status = await program.status
    #expect(status.standardOutput.hasSuffix("\n\(second.key)\n"))
    #expect(!status.standardOutput.contains(first.key))
    #expect(status.standardError.contains("interrupted"))
    let fields: [String: String] = try await harness.redis.command("HGETALL", second.key).decode()
    #expect(fields["status"] == "predicting")
    #expect(try await harness.timeToLive(second.key) == -1)
    #expect(harness.files(in: "out") == ["a_batch_0_feature_0.tif"])
  }

  @Test(.redisServer) func `a second interruption ends the program at once`() async throws {
    let harness = try KioskHarness()
    let key = try await harness.makeJob()
    // Redis does not answer, and neither does the bucket: nothing can be waited for.
    let program = try await harness.start(["watch", key])
    try await program.wait(forOutput: "cells.tif: new")
    await program.send(SIGINT)
    await program.send(SIGINT)
    let exit = try await program.waitForExit(within: .seconds(5))
    #expect(exit == .signal(SIGINT) || exit == .code(130))
  }
}
