// What delivery itself costs, with jobs that do nothing. Build it optimized:
// swift run -c release QueueBenchmark
try await QueueBenchmark.run()
