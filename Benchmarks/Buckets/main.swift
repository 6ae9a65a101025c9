import TestSupport

// Files to and from S3 servers, against the program `curl` in the same run against the same server:
// SeaweedFS and rclone, started here. Build it optimized: swift run -c release BucketsBenchmark

// A process of its own moves one file, so that its peak of memory is that of the transfer.
if let move = Move(CommandLine.arguments.dropFirst()) {
  try await move.run()
} else {
  for program in S3Program.allCases {
    try await Stage.with(program) { stage in
      print("\n\(program.testDescription)")
      try await BigFile.measure(stage)
      try await SmallObjects.measure(stage)
      try await Latency.measure(stage)
      try await PeakMemory.measure(stage)
    }
  }
}
