import Arrays
import Buckets
import Consumers
import Foundation
import ImageFiles
import RedisClient
import Synchronization
import TestSupport
import Testing

/// Entries of a queue that are no job, or stop being one.
@Suite struct OddKeyTests {
  /// Ways in which a key is no job's.
  enum Trouble: String, CaseIterable {
    case missing, expired, string, list, set, finished
  }

  @Test(.redisServer, arguments: Trouble.allCases)
  func `an entry that is no job is dropped and nothing is written`(trouble: Trouble) async throws {
    let bench = try await BadInputBench()
    let redis = bench.harness.redis
    let key = "predict:odd:1"
    try await bench.besideGoodJob(
      leaving: ["missing", "expired"].contains(trouble.rawValue) ? [] : [key]
    ) {
      switch trouble {
      case .missing: try await redis.command("LPUSH", ConsumerHarness.queue, key)
      case .expired:
        try await redis.transaction([
          RedisCommand("HSET", key, "status", "new"), RedisCommand("PEXPIRE", key, 0),
          RedisCommand("LPUSH", ConsumerHarness.queue, key),
        ])
      case .string:
        try await redis.command("SET", key, "status")
        try await redis.command("LPUSH", ConsumerHarness.queue, key)
      case .list:
        try await redis.command("LPUSH", key, "status")
        try await redis.command("LPUSH", ConsumerHarness.queue, key)
      case .set:
        try await redis.command("SADD", key, "status")
        try await redis.command("LPUSH", ConsumerHarness.queue, key)
      case .finished:
        try await redis.command("HSET", key, "status", "done")
        try await redis.command("LPUSH", ConsumerHarness.queue, key)
      }
      let before = try await redis.command("DUMP", key)
      // The next job in the queue is done, so the entry in front of it was looked at.
      try bench.put(TestImage.tiff(TestImage.cells), at: BadInput.inputKey)
      try await JobFields().submit(Array("predict:next:1".utf8), to: ConsumerHarness.queue, redis)
      let next = try await bench.fields("predict:next:1")
      #expect(next["status"] == "done", "\(next)")
      #expect(try await redis.command("DUMP", key) == before)
      let dropped = try bench.harness.metrics.expectCounter(
        "kiosk_jobs_finished_total",
        [("queue", ConsumerHarness.queue), ("outcome", "invalid")])
      #expect(dropped.totalValue == 1)
      try await redis.command("DEL", "predict:next:1")
      let output = bench.harness.store.file(try #require(next["output_file_name"]))
      try FileManager.default.removeItem(atPath: output)
    }
  }

  @Test(.redisServer) func `a job whose key is not UTF-8 fails, and the next one runs`()
    async throws
  {
    let bench = try await BadInputBench()
    let redis = bench.harness.redis
    try bench.put(TestImage.tiff(TestImage.cells), at: BadInput.inputKey)
    let key = Array("predict:caf".utf8) + [0xE9] + Array(".tif:1".utf8)
    let shown = String(decoding: key, as: UTF8.self)
    try await bench.besideGoodJob(leaving: [shown]) {
      try await JobFields().submit(key, to: ConsumerHarness.queue, redis)
      try await eventually("the job has ended") {
        try await redis.command("HGET", key, "status") == "failed"
      }
      let fields: [String: String] = try await redis.command("HGETALL", key).decode()
      let reason = try BadInputTests.checkFailure(fields, .invalidInput, bench.harness)
      #expect(reason.contains("not valid UTF-8"))
    }
  }

  /// What happens to a job's key while the job is in work.
  enum Vanishing: CaseIterable {
    case deleted, replaced
  }

  @Test(.redisServer, arguments: Vanishing.allCases)
  func `a key that vanishes while its job runs is not made again`(vanishing: Vanishing) async throws
  {
    let redis = try #require(RedisServer.connection)
    let key = "predict:odd:1"
    // At its model: the job takes its key away.
    let row = BadInput.model(
      "", .predictInvalid,
      peer: .predict { call in
        _ = try? await redis.command("DEL", key)
        if vanishing == .replaced { _ = try? await redis.command("SET", key, "mine") }
        guard let tiles = call.inputs["input_0"]?.typed(as: Float.self) else {
          return .failure(.invalidArgument, "input_0 is missing")
        }
        return .outputs(
          BrightModels.heads(of: tiles, by: call.model.name), model: call.model, encoding: .typed)
      })
    let bench = try await BadInputBench(row)
    try bench.put(TestImage.tiff(TestImage.cells), at: BadInput.inputKey)
    try await bench.besideGoodJob(leaving: vanishing == .replaced ? [key] : []) {
      try await row.job.submit(Array(key.utf8), to: ConsumerHarness.queue, redis)
      try await eventually("the job is off the list") { [harness = bench.harness] in
        guard try await redis.command("TYPE", key) != "hash" else { return false }
        let lists = try await harness.list(harness.processing) + harness.list(ConsumerHarness.queue)
        return lists == [BadInputBench.goodKey]
      }
      if vanishing == .replaced { #expect(try await redis.command("GET", key) == "mine") }
    }
  }
}
