import TestSupport

// Round trips and throughput of RedisClient, as ratios to `redis-benchmark` in the same run against
// the same private server. Build it optimized: swift run -c release RedisBenchmark
try await Benchmark.run()
