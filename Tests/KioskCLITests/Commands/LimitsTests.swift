import JobQueue
import RedisClient
import TestSupport
import Testing

/// What a queue allows.
@Suite struct LimitsTests {
  @Test(.redisServer) func `limits are set, shown, kept apart and taken away`() async throws {
    let harness = try KioskHarness()
    let queue = harness.jobQueue()
    try await queue.pause()
    let none = try await harness.kiosk("limits", "Segmentation")
    #expect(none.exit == .code(0))
    #expect(none.standardOutput == "segmentation: no limits\n")

    let set = try await harness.kiosk(
      "limits", "segmentation", "--concurrency", "4", "--retry", "5:10,1.5")
    #expect(set.exit == .code(0), "\(set.output)")
    #expect(
      set.standardOutput == "segmentation: at most 4 jobs at a time; tries 5:10,1.5\n")
    let json = try await harness.kiosk(
      "limits", "segmentation", "--rate", "0.5", "--burst", "3", "--json")
    let line = try #require(try jsonLines(json.standardOutput).first)
    #expect(line["concurrency"] as? Int == 4 && line["burst"] as? Int == 3)
    #expect(line["rate"] as? Double == 0.5 && line["retry"] as? String == "5:10,1.5")
    let retries = RetrySchedule(
      maximumAttempts: 5, intervals: [.seconds(10), .milliseconds(1500)])
    let limits = QueueLimits(concurrency: 4, rate: 0.5, burst: 3, retries: retries)
    #expect(try await queue.limits() == limits)

    let less = try await harness.kiosk(
      "limits", "segmentation", "--rate", "none", "--concurrency", "NONE")
    #expect(less.standardOutput == "segmentation: tries 5:10,1.5\n")
    // A pause is another matter.
    let paused = try await harness.redis.command(
      "HGET", Keys.configuration(of: queue.name), "paused")
    #expect(!paused.isNull)
  }

  @Test(.redisServer) func `a limit holds for the next claim`() async throws {
    let harness = try KioskHarness()
    let queue = harness.jobQueue()
    for key in ["a", "b", "c"] { _ = try await queue.submit(key, ["status": "new"]) }
    let set = try await harness.kiosk("limits", "segmentation", "--concurrency", "2")
    #expect(set.exit == .code(0), "\(set.output)")
    #expect(try await queue.claim(upTo: 3).jobs.map(\.key) == ["a", "b"])
    #expect(try await queue.claim(upTo: 3).hold == .concurrency)
  }

  @Test(
    .redisServer,
    arguments: [
      ["--concurrency", "0"], ["--concurrency", "many"], ["--rate", "0"], ["--rate", "nan"],
      ["--rate", "-1"], ["--burst", "0"], ["--burst", "5"], ["--retry", "0"], ["--retry", "3:x"],
    ])
  func `limits that cannot be meant are refused`(options: [String]) async throws {
    let harness = try KioskHarness()
    let status = try await harness.kiosk("limits", "segmentation", options[0], options[1])
    #expect(status.exit == .code(2), "\(status.output)")
    #expect(status.standardError.contains(options[0]))
    #expect(try await harness.jobQueue().limits() == QueueLimits())
  }
}
