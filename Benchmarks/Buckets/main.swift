import TestSupport

// Files to and from S3 servers, against the program `curl` in the same run against the same server:
// SeaweedFS and rclone, started here. Build it optimized: swift run -c release BucketsBenchmark
// Words behind it choose: weed, rclone, big, small, latency, memory.

// A process of its own moves one file, so that its peak of memory is that of the transfer.
if let move = Move(CommandLine.arguments.dropFirst()) {
  try await move.run()
} else {
  try await Choice(CommandLine.arguments.dropFirst()).measure()
}
