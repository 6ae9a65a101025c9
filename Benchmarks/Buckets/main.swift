import Foundation
import TestSupport

// Files to and from S3 servers, against the program `curl` in the same run against the same server:
// SeaweedFS and rclone, started here. Build it optimized: swift run -c release BucketsBenchmark
// Words behind it choose: weed, rclone, big, small, latency, memory.

let arguments = CommandLine.arguments.dropFirst()
let work = Task {
  // A process of its own moves one file, so that its peak of memory is that of the transfer.
  if let move = Move(arguments) { return try await move.run() }
  try await Choice(arguments).measure()
}
// Servers and gigabytes of files are removed also when somebody has seen enough.
signal(SIGINT, SIG_IGN)
let interrupts = DispatchSource.makeSignalSource(signal: SIGINT)
interrupts.setEventHandler { work.cancel() }
interrupts.resume()
do { try await work.value } catch {
  FileHandle.standardError.write(Data("\(error)\n".utf8))
  exit(1)
}
