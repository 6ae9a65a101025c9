import Arrays
import Foundation
import ImageFiles
import JobQueue
import RedisClient
import TestSupport

/// What a job costs the consumer, by stage: the built `consume-redis-events` with a Redis and a folder
/// bucket of its own and a model that answers from memory. One job at a time, then many at once.
///
/// Ratios are to the Python service (kiosk-redis-consumer 0.17.2), measured on a 2-core machine.
@main
struct JobsBenchmark {
  /// Seconds of its own time the Python service takes for a job, and MiB of memory at its peak.
  private static let python: [Int: (seconds: Double, memory: Double)] = [
    512: (0.646, 903), 2048: (8.50, 1291),
  ]
  private static let stages = [
    "download", "decode", "preprocess", "predict", "postprocess", "encode", "upload",
  ]

  static func main() async throws {
    let server = try await RedisServer.start([])
    let model = try CannedModel()
    try await RedisClient.withClient(server.configuration) { redis in
      print(
        "Milliseconds per job, median of jobs run one at a time; model time is the round trip.\n")
      print(
        (["pixels"] + stages + ["whole job", "Python", "ratio", "peak MiB", "Python"])
          .map { $0.padded(11) }.joined())
      for (side, jobs) in [(512, 20), (2048, 7)] {
        try await measure(side: side, jobs: jobs, server: server, redis: redis, model: model)
      }
      try await measureThroughput(server: server, redis: redis, model: model)
    }
    await model.stop()
    try await server.stop()
  }

  private static func measure(
    side: Int, jobs: Int, server: RedisServer, redis: RedisClient, model: CannedModel
  ) async throws {
    let bench = try await Bench(server: server, redis: redis, model: model, slots: 1)
    try bench.store(Self.image(side: side), as: "image.tif")
    _ = try await bench.run(1)  // what happens once a process
    let idle = bench.memory("VmRSS")
    let results = try await bench.run(jobs)
    let peak = bench.memory("VmHWM")
    var columns = ["\(side)x\(side)"]
    for stage in stages {
      columns.append(median(results.compactMap { $0[stage + "_ms"] }).formatted(1))
    }
    let total = median(results.compactMap { $0["duration_ms"] })
    if let python = python[side] {
      columns += [
        total.formatted(1), (python.seconds * 1000).formatted(0),
        "1/" + (python.seconds * 1000 / total).formatted(0), peak.formatted(0),
        python.memory.formatted(0),
      ]
    }
    print(columns.map { $0.padded(11) }.joined())
    print("           (idle after a job: \(idle.formatted(0)) MiB; Python: 807 MiB)")
    try await bench.stop()
  }

  private static func measureThroughput(
    server: RedisServer, redis: RedisClient, model: CannedModel
  ) async throws {
    let bench = try await Bench(server: server, redis: redis, model: model, slots: 2)
    try bench.store(Self.image(side: 512), as: "image.tif")
    _ = try await bench.run(2)
    let start = ContinuousClock.now
    let count = 60
    _ = try await bench.run(count, atOnce: true)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let rate = Double(count) / seconds
    print(
      "\nJobs per second, one process with 2 slots, 512x512: \(rate.formatted(1)); "
        + "Python 1.5; \((rate / 1.5).formatted(0)) times as many")
    try await bench.stop()
  }

  /// A noisy image of round cells.
  private static func image(side: Int) throws -> [UInt8] {
    var generator = SeededGenerator(seed: side)
    let pixels = NDArray<Float>(uninitialized: [side, side]) { buffer in
      for i in buffer.indices {
        let (dy, dx) = (Float(i / side % 24) - 12, Float(i % side % 24) - 12)
        let cell: Float = dy * dy + dx * dx < 100 ? 2000 : 200
        buffer[i] = (cell + Float.random(in: 0...100, using: &generator)).rounded()
      }
    }
    return try LabelFiles.encode(AnyNDArray(pixels), channel: 0)
  }
}

func median(_ values: [Double]) -> Double {
  values.isEmpty ? .nan : values.sorted()[values.count / 2]
}

extension Double {
  func formatted(_ digits: Int) -> String { String(format: "%.\(digits)f", self) }
}

extension String {
  func padded(_ width: Int) -> String {
    String(repeating: " ", count: max(0, width - count)) + self
  }
}
