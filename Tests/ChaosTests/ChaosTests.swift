import TestSupport
import Testing

/// A small portion of what `make chaos` does for longer.
@Suite(.programs) struct ChaosTests {
  @Test(arguments: [1, Int.random(in: 2..<1_000_000)])
  func `every accepted job ends once and leaves nothing, whatever happens`(seed: Int) async throws {
    let program = try await ChildProcess.start(
      BuiltProduct.path("Chaos"), ["--jobs", "90", "--seed", "\(seed)", "--workers", "2"])
    let exit = try await program.waitForExit(within: .seconds(600))
    let output = await program.status.output
    #expect(exit == .code(0), "\(output)")
    print(output)
  }
}
