import JobQueue
import RedisClient
import TestSupport

enum QueueBenchmark {
  /// Each quantity is measured this often; the best counts, since other work on the machine only ever
  /// makes it slower.
  private static let rounds = 3

  /// Not on the main actor, whose thread would be one more to hop to.
  nonisolated static func run() async throws {
    let server = try await RedisServer.start()
    do {
      try await RedisClient.withClient(server.configuration) { redis in
        print("empty jobs, one process        jobs/s  commands/job  Redis us/job")
        print("  goal".padded(26), "    >= 20000             1")
        for slots in [1, 2, 4, 16, 64] { try await throughput(redis, slots: slots) }
        print("\npush to claim, idle            median ms       p99 ms")
        print("  goal".padded(26), "                      <= 10")
        for waiters in [1, 10] { try await latency(redis, server, waiters: waiters) }
        print("\nparent of 1,000 children       commands/child")
        print("  goal".padded(26), "        <= 3")
        try await children(redis)
      }
    } catch {
      try await server.stop()
      throw error
    }
    try await server.stop()
  }

  /// Slots that report an end and take the next job in one call.
  private nonisolated static func throughput(_ redis: RedisClient, slots: Int) async throws {
    let count = 20_000
    var best = (rate: 0.0, commands: 0.0, microseconds: 0.0)
    for _ in 0..<rounds {
      try await redis.command("FLUSHALL")
      for start in stride(from: 0, to: count, by: 500) {
        try await redis.pipeline(
          (start..<start + 500).flatMap { index in
            [
              RedisCommand("HSET", "job \(index)", "status", "new", "input_file_name", "a.tif"),
              RedisCommand("LPUSH", "predict", "job \(index)"),
            ]
          })
      }
      try await redis.command("CONFIG", "RESETSTAT")
      let queue = JobQueue(name: "predict", worker: "bench", redis: redis)
      let start = ContinuousClock.now
      try await withThrowingTaskGroup { group in
        for _ in 0..<slots {
          group.addTask {
            var next = try await queue.claim(upTo: 1).jobs.first
            while let job = next {
              next = try await queue.finish(job, .done, ["output_url": "u"], claiming: 1)
                .next.jobs.first
            }
          }
        }
        try await group.waitForAll()
      }
      let seconds = start.duration(to: .now) / .seconds(1)
      let scripts = try await scriptStatistics(redis)
      if Double(count) / seconds > best.rate {
        best = (
          Double(count) / seconds, Double(scripts.calls) / Double(count),
          Double(scripts.microseconds) / Double(count)
        )
      }
    }
    print(
      "  \(slots) slots".padded(26), best.rate.rounded().formatted(0), best.commands.formatted(3),
      best.microseconds.formatted(1))
  }

  /// Calls of scripts and the time Redis spent in them since its statistics were reset.
  private nonisolated static func scriptStatistics(
    _ redis: RedisClient
  ) async throws -> (calls: Int, microseconds: Int) {
    let text: String = try await redis.command("INFO", "commandstats").decode()
    var total = (calls: 0, microseconds: 0)
    for line in text.split(whereSeparator: \.isNewline) {
      guard let match = line.firstMatch(of: #/^cmdstat_eval(?:sha)?:calls=(\d+),usec=(\d+)/#)
      else { continue }
      total.calls += Int(match.1) ?? 0
      total.microseconds += Int(match.2) ?? 0
    }
    return total
  }

  private nonisolated static func latency(
    _ redis: RedisClient, _ server: RedisServer, waiters: Int
  ) async throws {
    try await redis.command("FLUSHALL")
    let (claims, claimed) = AsyncStream<ContinuousClock.Instant>.makeStream()
    var milliseconds: [Double] = []
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<waiters {
        let configuration = server.configuration
        group.addTask {
          try await RedisClient.withClient(configuration) { own in
            let queue = JobQueue(name: "predict", worker: "pod-\(number)", redis: own)
            while !Task.isCancelled {
              for job in try await queue.claim(upTo: 1).jobs {
                claimed.yield(.now)
                _ = try await queue.finish(job, .done)
              }
              _ = try await queue.waitForJob()
            }
          }
        }
      }
      try await Task.sleep(for: .milliseconds(200))
      var answers = claims.makeAsyncIterator()
      for index in 0..<1000 {
        let job = "job \(index)"
        let start = ContinuousClock.now
        try await redis.pipeline([
          RedisCommand("HSET", job, "status", "new"), RedisCommand("LPUSH", "predict", job),
        ])
        guard let end = await answers.next() else { break }
        milliseconds.append(start.duration(to: end) / .milliseconds(1))
        // Until all wait again.
        try await Task.sleep(for: .milliseconds(5))
      }
      group.cancelAll()
      // Waiting ends by its cancellation.
      while (try? await group.next()) != nil {}
    }
    milliseconds.sort()
    print(
      "  \(waiters) waiting".padded(26), milliseconds[milliseconds.count / 2].formatted(2),
      milliseconds[milliseconds.count * 99 / 100].formatted(2))
  }

  private nonisolated static func children(_ redis: RedisClient) async throws {
    try await redis.command("FLUSHALL")
    let parents = JobQueue(name: "predict-zip", worker: "bench", redis: redis)
    let queue = JobQueue(name: "predict", worker: "bench", redis: redis)
    _ = try await parents.submit("parent", ["status": "new"])
    let count = 1000
    try await redis.command("CONFIG", "RESETSTAT")
    for parent in try await parents.claim(upTo: 1).jobs {
      let children = (0..<count).map {
        ChildJob(of: "parent", index: $0, queue: "predict", name: "\($0).tif", fields: [:])
      }
      _ = try await parents.park(parent, waitingFor: children, .collectAll)
    }
    var next = try await queue.claim(upTo: 1).jobs.first
    while let job = next {
      next = try await queue.finish(job, .done, claiming: 1).next.jobs.first
    }
    guard let parent = try await parents.claim(upTo: 1).jobs.first else {
      return print("  the parent did not go on")
    }
    _ = try await parents.finish(parent, .done)
    let scripts = try await scriptStatistics(redis)
    print(
      "  total".padded(26), (Double(scripts.calls) / Double(count)).formatted(3),
      "      Redis us/child",
      (Double(scripts.microseconds) / Double(count)).formatted(1))
  }
}

extension String {
  fileprivate func padded(_ width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}

extension Double {
  /// With a number of decimals, at the right of a column.
  fileprivate func formatted(_ decimals: Int) -> String {
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let value = (self * scale).rounded() / scale
    let text = decimals == 0 ? String(Int(value)) : String(value)
    return String(repeating: " ", count: max(0, 12 - text.count)) + text
  }
}
