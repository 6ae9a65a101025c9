import Foundation
import TestSupport

// Runs real workers on a real Redis with replicas and Sentinels, does to them what can happen to
// them, and checks that every job ended once and left nothing. Ends with 0 if so, with 1 and the
// seed, the last events of the jobs concerned and the workers' words about them if not.

let options: Options
do {
  options = try Options(Array(CommandLine.arguments.dropFirst()))
} catch {
  FileHandle.standardError.write(Data("\(error)\n\(Options.usage)\n".utf8))
  exit(64)
}
do {
  exit(try await ChaosRun.run(options) ? 0 : 1)
} catch {
  say("FAILED with seed \(options.seed): \(error)")
  exit(1)
}
