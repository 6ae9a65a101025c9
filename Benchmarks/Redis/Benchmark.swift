import Glibc
import RedisClient
import TestSupport

enum Benchmark {
  /// Each quantity is measured this often, ours and theirs in turn; the best of each counts, since
  /// other work on the machine only ever makes it slower.
  private static let rounds = 3

  /// Not on the main actor, whose thread would be one more to hop to.
  nonisolated static func run() async throws {
    let server = try await RedisServer.start()
    do {
      try await RedisClient.withClient(server.configuration) { redis in
        print(
          "HSET key field value, one connection           ours/s   redis-benchmark/s   ratio",
          "  our CPU us/command")
        for callers in [1, 16, 64] {
          // redis-benchmark has no callers that share a connection: its pipeline is the nearest.
          try await compare(
            "\(callers) tasks, one command at a time", peer: callers, server
          ) { try await shared(redis, callers: callers) }
        }
        for size in [64, 256] {
          try await compare("pipelines of \(size)", peer: size, server) {
            try await pipelined(redis, size: size)
          }
        }
      }
    } catch {
      try await server.stop()
      throw error
    }
    try await server.stop()
  }

  private nonisolated static func compare(
    _ name: String, peer pipeline: Int, _ server: RedisServer,
    _ measure: () async throws -> Measurement
  ) async throws {
    var ours = 0.0
    var processor = Double.infinity
    var theirs = 0.0
    for _ in 0..<rounds {
      let measured = try await measure()
      ours = max(ours, measured.rate)
      processor = min(processor, measured.processorMicroseconds)
      theirs = max(theirs, try await redisBenchmark(server, pipeline: pipeline))
    }
    print(
      name.padded(to: 40), ours.whole.padded(to: 12, left: true),
      theirs.whole.padded(to: 18, left: true), (ours / theirs).hundredths.padded(to: 8, left: true),
      processor.hundredths.padded(to: 12, left: true))
    if pipeline == 1 {
      let (our, their) = (1e6 / ours, 1e6 / theirs)
      print(
        "  round trip: \(our.hundredths) us, redis-benchmark \(their.hundredths) us,",
        "\((our / their).hundredths) times")
    }
  }

  /// Commands per second of tasks that share the connection.
  private nonisolated static func shared(
    _ redis: RedisClient, callers: Int
  ) async throws -> Measurement {
    let each = (callers == 1 ? 30_000 : 200_000) / callers
    return try await Measurement(count: each * callers) {
      try await withThrowingTaskGroup { group in
        for _ in 0..<callers {
          group.addTask {
            for _ in 0..<each { try await redis.command("HSET", "key", "field", "value") }
          }
        }
        try await group.waitForAll()
      }
    }
  }

  private nonisolated static func pipelined(
    _ redis: RedisClient, size: Int
  ) async throws -> Measurement {
    let commands = Array(repeating: RedisCommand("HSET", "key", "field", "value"), count: size)
    let batches = 400_000 / size
    return try await Measurement(count: size * batches) {
      for _ in 0..<batches { try await redis.pipeline(commands) }
    }
  }

  /// Commands per second of `redis-benchmark` on one connection.
  private nonisolated static func redisBenchmark(
    _ server: RedisServer, pipeline: Int
  ) async throws -> Double {
    let output = try await runTool(
      "redis-benchmark",
      [
        "-p", "\(server.port)", "-c", "1", "-P", "\(pipeline)", "--csv",
        "-n", "\(pipeline == 1 ? 30_000 : 400_000)", "HSET", "key", "field", "value",
      ])
    // "test","rps",... and then the values, all quoted.
    let values = output.split(separator: "\n").last?.split(separator: ",") ?? []
    guard values.count > 1, let rate = Double(values[1].filter { $0 != "\"" }) else {
      throw TestSupportError("cannot read the output of redis-benchmark: \(output)")
    }
    return rate
  }
}

/// The speed of a number of commands, and this process' processor time for each.
struct Measurement {
  let rate: Double
  let processorMicroseconds: Double

  init(count: Int, _ body: () async throws -> Void) async throws {
    let before = Self.processorTime
    let time = try await ContinuousClock().measure { try await body() }
    rate = Double(count) / (time / .seconds(1))
    processorMicroseconds = (Self.processorTime - before) / Double(count) * 1e6
  }

  /// Seconds in user and kernel mode.
  private static var processorTime: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return [usage.ru_utime, usage.ru_stime].reduce(0) {
      $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6
    }
  }
}

extension Double {
  fileprivate var whole: String { "\(Int(self))" }
  fileprivate var hundredths: String { "\((self * 100).rounded() / 100)" }
}

extension String {
  fileprivate func padded(to width: Int, left: Bool = false) -> String {
    let padding = String(repeating: " ", count: max(0, width - count))
    return left ? padding + self : self + padding
  }
}
