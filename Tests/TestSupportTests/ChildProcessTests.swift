import Foundation
import Testing

@testable import TestSupport

@Suite struct ChildProcessTests {
  @Test func `output and exit code are captured`() async throws {
    let child = try await ChildProcess.start(
      "sh", ["-c", "echo out $WORD; echo err >&2; exit 3"], environment: ["WORD": "there"])
    #expect(try await child.waitForExit() == .code(3))
    let status = await child.status
    #expect(status.standardOutput == "out there\n")
    #expect(status.standardError == "err\n")
  }

  @Test func `signals reach the program itself`() async throws {
    let child = try await ChildProcess.start(
      "sh", ["-c", "trap 'echo asked; exit 0' TERM; echo ready; while :; do sleep 0.01; done"])
    try await child.wait(forOutput: "ready")
    await child.send(SIGTERM)
    #expect(try await child.waitForExit() == .code(0))
    #expect(await child.status.standardOutput == "ready\nasked\n")
  }

  @Test func `a program that will not end is killed`() async throws {
    let child = try await ChildProcess.start(
      "sh", ["-c", "trap '' TERM; echo ready; while :; do sleep 0.01; done"])
    try await child.wait(forOutput: "ready")
    #expect(try await child.stop(grace: .milliseconds(50)) == .signal(SIGKILL))
  }

  @Test func `a program that is missing exits with 127`() async throws {
    let child = try await ChildProcess.start("no-such-program")
    #expect(try await child.waitForExit() == .code(127))
    await #expect(throws: TestSupportError.self) { try await child.wait(forOutput: "ready") }
  }

  @Test(arguments: ["exit 0", "exit 1", "kill -9 $$"])
  func `what a program leaves is removed when it ends`(end: String) async throws {
    let folder = try TemporaryFolder()
    let leavings = [folder.file("a b"), folder.file("c*"), folder.file("never")]
    let child = try await ChildProcess.start(
      "sh", ["-c", "mkdir 'a b' 'c*'; touch 'a b/d' cc; \(end)"], workingDirectory: folder.path,
      leavings: leavings)
    _ = try await child.waitForExit()
    try await eventually("it is removed") {
      try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["cc"]
    }
  }

  @Test func `a program is killed when the pipe from its starter ends without a line`() async throws
  {
    // `cat` has nothing to read and ends at once, as a crashed test process would.
    let crashed = try await ChildProcess.start(
      "sh", ["-c", "cat | sh -c \"$0\" sh sleep 1000", ChildProcess.guardScript])
    #expect(try await crashed.waitForExit() == .code(128 + SIGKILL))

    let orderly = try await ChildProcess.start(
      "sh", ["-c", "echo | sh -c \"$0\" sh sh -c 'sleep 0.1; exit 5'", ChildProcess.guardScript])
    #expect(try await orderly.waitForExit() == .code(5))
  }
}
