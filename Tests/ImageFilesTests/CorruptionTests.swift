import Foundation
import TestSupport
import Testing

/// Valid files of each format, corrupted at random in a process of its own: a crash, a hang or a leak
/// there fails the test with the seed of the file. `make check-decoders` does more of it with a
/// sanitizer.
@Suite(.programs) struct CorruptionTests {
  @Test(
    arguments: ["tiff", "bigtiff", "png", "jpeg", "npy", "zip"], [0, 5000])
  func `corrupted files are refused or decoded, without crash, hang or leak`(
    format: String, first: Int
  ) async throws {
    let program = try await ChildProcess.start(
      BuiltProduct.path("DecoderCorruption"), [format, "5000", "\(first)"])
    let exit = try await program.waitForExit(within: .seconds(300))
    let output = await program.status.output
    #expect(exit == .code(0), "\(output.prefix(2000))")
    #expect(output.hasPrefix("\(format): 5000 corrupted files"))
  }

  @Test func `the program that corrupts files notices when there is nothing to do`() async throws {
    let program = try await ChildProcess.start(
      BuiltProduct.path("DecoderCorruption"), ["gif"])
    #expect(try await program.waitForExit() == .code(64))
  }
}
