import Foundation
import RedisClient
import TestSupport
import Testing

/// What the program does with streams that are pipes, terminals, closed, or left by their reader.
@Suite struct StreamTests {
  /// Runs the program below a shell that redirects its streams.
  private func start(
    _ harness: KioskHarness, _ script: String, _ arguments: [String]
  ) async throws -> ChildProcess {
    try await ChildProcess.start(
      "/bin/sh", ["-c", script, "sh", BuiltProduct.path("kiosk")] + arguments,
      environment: harness.environment, workingDirectory: harness.folder.path)
  }

  @Test(.redisServer) func `a reader that goes away is no reason to fail`() async throws {
    let harness = try KioskHarness()
    var keys: [String] = []
    for index in 0..<20 { keys.append(try await harness.makeJob("a\(index).tif")) }
    // Without Redis nothing but this program minds the signal; the reader is gone by then.
    let late = "{ sleep 0.2; \"$@\"; echo exit $? >&2; } | :"
    let script = try await start(harness, late, ["completions", "bash"])
    #expect(try await script.waitForExit() == .code(0))
    #expect(await script.status.standardError == "exit 0\n")
    for reader in ["head -n 1", ":"] {
      let program = try await start(
        harness, "{ \"$@\"; echo exit $? >&2; } | \(reader)", ["status"] + keys)
      #expect(try await program.waitForExit() == .code(0))
      let status = await program.status
      #expect(status.standardError == "exit 0\n")
      #expect(status.standardOutput == (reader == ":" ? "" : "job         \(keys[0])\n"))
    }
  }

  @Test(.redisServer) func `results are fetched though nobody reads their names`() async throws {
    let harness = try KioskHarness()
    var keys: [String] = []
    for index in 0..<4 {
      let output = try harness.putLabels(stem: "a\(index)")
      keys.append(
        try await harness.makeJob(
          "a\(index).tif", ["status": "done", "output_file_name": output]))
    }
    let program = try await start(
      harness, "{ \"$@\"; echo exit $? >&2; } | :", ["fetch", "-q", "-o", "out"] + keys)
    #expect(try await program.waitForExit() == .code(0))
    #expect(await program.status.standardError == "exit 0\n")
    #expect(harness.files(in: "out").count == 4)
  }

  @Test(.redisServer, arguments: ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
  func `closed streams do no harm`(closed: String) async throws {
    let harness = try KioskHarness()
    let key = try await harness.makeJob(
      "cells.tif", ["status": "done", "output_file_name": harness.putLabels()])
    let before: [String: String] = try await harness.redis.command("HGETALL", key).decode()
    let program = try await start(
      harness, "exec \"$@\" \(closed)", ["fetch", key, "-o", "out", "--csv", "--expire", "0"])
    #expect(try await program.waitForExit() == .code(0))
    let status = await program.status
    #expect(status.standardOutput.isEmpty == closed.contains(">&- 2") || closed == ">&-")
    #expect(status.standardError.isEmpty == closed.contains("2>&-"))
    #expect(harness.files(in: "out") == ["cells_batch_0_feature_0.tif", "cells_cells.csv"])
    let after: [String: String] = try await harness.redis.command("HGETALL", key).decode()
    #expect(after == before)
    let keys: [String] = try await harness.redis.command("KEYS", "*").decode()
    // The job and its queue, beside what the queue keeps of its own.
    #expect(keys.filter { !$0.hasPrefix("kiosk:") }.count == 2)
  }

  @Test(.redisServer) func `no connection gets the number of a closed stream`() async throws {
    let harness = try KioskHarness()
    let key = try await harness.makeJob("a.tif", ["status": "predicting"])
    let program = try await start(harness, "exec \"$@\" <&- >&- 2>&-", ["watch", key])
    try await eventually("the program is connected") {
      try await harness.redis.command("CLIENT", "LIST").string?.contains("name=kiosk") == true
    }
    // The first may be an event of Dispatch, which is there before the program's own code.
    for descriptor in 1...2 {
      let link = "/proc/\(program.processIdentifier)/fd/\(descriptor)"
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "/dev/null")
    }
    try await harness.finish(key, output: "output/x.zip")
    #expect(try await program.waitForExit() == .code(0))
  }

  @Test(.redisServer) func `only a terminal gets bars, and only on standard error`() async throws {
    let harness = try KioskHarness()
    let key = try await harness.makeJob(
      "cells.tif", ["status": "done", "output_file_name": harness.putLabels()])
    let result = "cells.tif: 2 cells (median area 82 px)\n  cells_batch_0_feature_0.tif\n"

    let errors = try PseudoTerminal()
    let first = try await start(harness, "exec \"$@\" 2>\(errors.path)", ["fetch", key])
    #expect(try await first.waitForExit() == .code(0))
    try await errors.wait(for: "100%")
    #expect(errors.text.contains("\u{1B}"))
    #expect(await first.status.standardOutput == result)

    let results = try PseudoTerminal()
    let second = try await start(harness, "exec \"$@\" >\(results.path)", ["fetch", key])
    #expect(try await second.waitForExit() == .code(0))
    try await results.wait(for: "cells_batch_0_feature_0.tif")
    #expect(!results.text.contains("\u{1B}"))
    let log = await second.status.standardError.split(separator: "\n")
    #expect(log.count == 2)
    #expect(log.first == "cells.tif: downloading")
    #expect(log.last?.hasPrefix("cells.tif: done after ") == true)
  }

  @Test(.redisServer, arguments: [["-q"], ["-q", "--json"]])
  func `a quiet call shows no bars on a terminal either`(options: [String]) async throws {
    let harness = try KioskHarness()
    let key = try await harness.makeJob(
      "cells.tif", ["status": "done", "output_file_name": harness.putLabels()])
    let terminal = try PseudoTerminal()
    let program = try await start(
      harness, "exec \"$@\" 2>\(terminal.path)", ["fetch", key] + options)
    #expect(try await program.waitForExit() == .code(0))
    #expect(terminal.text == "")
    let output = await program.status.standardOutput
    if options.contains("--json") {
      #expect(try jsonLines(output).map { $0["cells"] as? Int } == [2])
    } else {
      #expect(output.hasPrefix("cells.tif: 2 cells"))
    }
  }

  @Test(.redisServer, arguments: [1, 2, 7, 20, 45, 300])
  func `bars fit terminals of every width`(columns: Int) async throws {
    let harness = try KioskHarness()
    var keys: [String] = []
    for index in 0..<12 {
      keys.append(try await harness.makeJob("long name of image \(index).tif", ["status": "done"]))
    }
    let terminal = try PseudoTerminal(columns: columns)
    let program = try await terminal.start(
      BuiltProduct.path("kiosk"), ["watch"] + keys, environment: harness.environment,
      in: harness.folder.path)
    #expect(try await program.waitForExit() == .code(0))
    try await eventually("the last line") { terminal.text.contains("\n") }
    #expect(!terminal.screen.hasWrapped, "\(terminal.screen.text)")
    if columns >= 20 { try await terminal.wait(for: "12 of 12 done") }
    if columns >= 45 {
      for key in keys.indices {
        let lines = terminal.screen.text.split(separator: "\n").filter {
          $0.hasPrefix("long name of image \(key).tif")
        }
        #expect(lines.count == 1, "\(terminal.screen.text)")
      }
    }
  }

  @Test(.redisServer) func `with --json an interruption tells the jobs left as objects`()
    async throws
  {
    let harness = try KioskHarness()
    let key = try await harness.makeJob("a.tif", ["status": "predicting"])
    let program = try await harness.start(["watch", key, "--json"])
    try await program.wait(forOutput: "\"status\":\"predicting\"")
    await program.send(SIGINT)
    #expect(try await program.waitForExit() == .code(130))
    let lines = try jsonLines(await program.status.standardOutput)
    #expect(lines.map { $0["event"] as? String } == ["status", "left"])
    #expect(lines.last?["job"] as? String == key)
  }
}
