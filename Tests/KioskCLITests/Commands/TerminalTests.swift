import Foundation
import RedisClient
import TestSupport
import Testing

@Suite struct TerminalTests {
  /// Starts `kiosk` in a terminal.
  private func start(
    _ harness: KioskHarness, _ terminal: PseudoTerminal, _ arguments: [String],
    environment changes: [String: String] = [:]
  ) async throws -> ChildProcess {
    try await terminal.start(
      BuiltProduct.path("kiosk"), arguments,
      environment: harness.environment.merging(changes) { $1 }, in: harness.folder.path)
  }

  @Test(.redisServer) func `a terminal of 80 columns shows one line per job, redrawn in place`()
    async throws
  {
    let harness = try KioskHarness()
    let terminal = try PseudoTerminal()
    let name = "a rather long name that will not fit 細胞.tif"
    try harness.makeImage(name)
    let program = try await start(
      harness, terminal, ["run", name, "-t", "segmentation", "-o", "out"])
    try await terminal.wait(for: "position 1 in queue")
    let job = try await harness.takeJob()
    try await harness.set(job.key, ["status": "predicting", "progress": "40"])
    try await terminal.wait(for: "predicting")
    try await terminal.wait(for: "40%")
    try await terminal.wait(for: "left")
    try await harness.finish(job.key, output: harness.putLabels())
    #expect(try await program.waitForExit() == .code(0))
    try await terminal.wait(for: "100%")

    let screen = terminal.screen
    #expect(!screen.hasWrapped)
    #expect(screen.text.components(separatedBy: "a rather").count == 3, "\(screen.text)")
    #expect(screen.text.contains("…"))
    #expect(screen.text.contains("█"))
    #expect(screen.text.contains("2 cells (median area 82 px)"))
    #expect(!screen.text.contains("predicting"))
    #expect(screen.attributes.contains("32"))
    let last = try #require(screen.text.split(separator: "\n").last)
    #expect(last.contains("done"))
    #expect(last.contains("100%"))
  }

  @Test(.redisServer) func `NO_COLOR, --no-color and a plain locale give plain characters`()
    async throws
  {
    let harness = try KioskHarness()
    let key = try await harness.makeJob("a.tif", ["status": "done"])
    for (arguments, environment) in [
      ([], ["NO_COLOR": "1", "LC_ALL": "C"]), (["--no-color"], ["LC_ALL": "C"]),
    ] as [([String], [String: String])] {
      let terminal = try PseudoTerminal()
      let program = try await start(
        harness, terminal, ["watch", key] + arguments, environment: environment)
      #expect(try await program.waitForExit() == .code(0))
      try await terminal.wait(for: "100%")
      #expect(terminal.screen.attributes == [])
      #expect(terminal.screen.text.contains("####"))
      #expect(terminal.text.utf8.allSatisfy { $0 < 0x80 })
    }
  }

  @Test(.redisServer) func `a terminal that cannot redraw gets a plain log`() async throws {
    let harness = try KioskHarness()
    let key = try await harness.makeJob("a.tif", ["status": "done"])
    let terminal = try PseudoTerminal()
    let program = try await start(
      harness, terminal, ["watch", key], environment: ["TERM": "dumb"])
    #expect(try await program.waitForExit() == .code(0))
    try await terminal.wait(for: "a.tif: done")
    #expect(!terminal.text.contains("\u{1B}"))
  }

  @Test(.redisServer) func `more than ten jobs become ten lines and a summary`() async throws {
    let harness = try KioskHarness()
    var keys: [String] = []
    for index in 0..<14 {
      keys.append(try await harness.makeJob("image\(index).tif", ["status": "predicting"]))
    }
    let terminal = try PseudoTerminal()
    let program = try await start(harness, terminal, ["watch"] + keys)
    try await terminal.wait(for: "0 of 14 done, 0 failed, 14 to go")
    #expect(terminal.screen.text.components(separatedBy: "image").count == 11)
    for key in keys.dropLast(2) { try await harness.finish(key, output: "x.zip") }
    try await harness.fail(keys[12], reason: "ValueError: too dark")
    try await terminal.wait(for: "12 of 14 done, 1 failed, 1 to go")
    try await harness.finish(keys[13], output: "x.zip")
    #expect(try await program.waitForExit() == .code(1))
    try await terminal.wait(for: "13 of 14 done, 1 failed, 0 to go")
    let screen = terminal.screen
    for index in 0..<14 {
      let lines = screen.text.split(separator: "\n").filter { $0.hasPrefix("image\(index).tif") }
      #expect(lines.count == 1, "image\(index).tif: \(lines)")
    }
    #expect(screen.text.contains("error: image12.tif: ValueError: too dark"))
    #expect(!screen.hasWrapped)
  }

  @Test(.redisServer) func `a job that waits for its model server says so`() async throws {
    let harness = try KioskHarness()
    let key = try await harness.makeJob(
      "a.tif", ["status": "predicting", "last_error": "predict_unavailable: connection refused"])
    let terminal = try PseudoTerminal()
    let program = try await start(harness, terminal, ["watch", key])
    try await terminal.wait(for: "model server starting")
    try await harness.set(key, ["last_error": ""])
    try await terminal.wait(for: "predicting")
    try await harness.finish(key, output: "x.zip")
    #expect(try await program.waitForExit() == .code(0))
  }

  @Test(.redisServer) func `an interruption leaves the line and prints the key below`()
    async throws
  {
    let harness = try KioskHarness()
    let key = try await harness.makeJob("a.tif", ["status": "predicting"])
    let terminal = try PseudoTerminal(columns: 200)
    let program = try await start(harness, terminal, ["watch", key])
    try await terminal.wait(for: "predicting")
    await program.send(SIGINT)
    #expect(try await program.waitForExit() == .code(130))
    try await terminal.wait(for: key)
    #expect(terminal.screen.text.components(separatedBy: "predicting").count == 2)
  }
}
