import TestSupport
import Testing

/// A small portion of what `make chaos` does for longer.
@Suite(.programs) struct ChaosTests {
  @Test(arguments: [1, Int.random(in: 2..<1_000_000)])
  func `every accepted job ends once and leaves nothing, whatever happens`(seed: Int) async throws {
    let program = try await ChildProcess.start(
      BuiltProduct.path("Chaos"),
      ["--jobs", "85", "--round", "75", "--seed", "\(seed)", "--workers", "2"])
    // Of its own it ends when nothing happens any more.
    let exit = try await program.waitForExit(within: .seconds(900))
    let output = await program.status.output
    #expect(exit == .code(0), "\(output)")
    #expect(output.contains("passed: seed \(seed), 85 jobs"))
  }
}
