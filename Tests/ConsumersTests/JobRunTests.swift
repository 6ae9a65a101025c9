import JobQueue
import Logging
import RedisClient
import TestSupport
import Testing

@testable import Consumers

@Suite struct JobRunTests {
  private func makeRun() async throws -> JobRun {
    let harness = try ConsumerHarness()
    _ = try await harness.submit()
    let claimed = try #require(try await harness.context.queue.claim(upTo: 1).jobs.first)
    return JobRun(claimed, queue: harness.context.queue, logger: harness.context.logger)
  }

  @Test(.redisServer) func `a write that is cancelled keeps its fields for the end`() async throws {
    let run = try await makeRun()
    run.note(["output_url": "u"])
    let write = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      try await run.writePending()
    }
    await #expect(throws: CancellationError.self) { try await write.value }
    #expect(run.takePending() == ["output_url": "u"])
  }

  @Test(.redisServer)
  func `the end of a job has what was written before, which a failover may have lost`()
    async throws
  {
    let run = try await makeRun()
    run.note(["output_url": "u", "scale": "1", "status": "predicting"])
    try await run.writePending()
    run.note(["scale": "2"])
    #expect(run.takeAll() == ["output_url": "u", "scale": "2"])
  }

  @Test(.redisServer) func `a newer value wins over one that could not be written`() async throws {
    let run = try await makeRun()
    let server = try #require(RedisServer.current)
    await server.freeze()
    run.note(["progress": "10", "scale": "1"])
    let write = Task { try await run.writePending() }
    try await eventually("the fields are on their way") { !run.hasPending }
    run.note(["progress": "20"])
    write.cancel()
    _ = try? await write.value
    await server.thaw()
    #expect(run.takePending() == ["progress": "20", "scale": "1"])
  }

  @Test(.redisServer) func `lines of the log are written in order, and the last ones are kept`()
    async throws
  {
    let run = try await makeRun()
    for number in 1...150 { run.log("line \(number)\nof the log") }
    await run.flushLog()
    let redis = try #require(RedisServer.connection)
    let entries = try await redis.command("XRANGE", Keys.log(of: run.job.key), "-", "+").array ?? []
    let lines = entries.compactMap { $0.array?[1].array?[1].string }
    #expect(lines == (51...150).map { "line \($0) of the log" })
  }

  @Test(.redisServer) func `progress goes forward only`() async throws {
    let run = try await makeRun()
    run.setProgress(.predict, 0.5)
    run.setProgress(.decode, 1)
    #expect(run.takePending() == ["progress": "45"])
    run.setProgress(.predict, 0.5)
    #expect(run.takePending() == [:])
    run.setProgress(.upload, 7)
    #expect(run.takePending() == ["progress": "99"])
  }

  @Test(
    .redisServer, arguments: [("70", ["83", "99"]), ("0", ["45", "99"]), ("100", [nil, nil])])
  func `progress goes on where the children of a job left it`(
    before: String, after: [String?]
  ) async throws {
    let harness = try ConsumerHarness()
    let key = try await harness.submit()
    try await harness.redis.command("HSET", key, "status", "waiting", "progress", before)
    let claimed = try #require(try await harness.context.queue.claim(upTo: 1).jobs.first)
    #expect(claimed.key == key)
    let run = JobRun(claimed, queue: harness.context.queue, logger: harness.context.logger)
    run.setProgress(.download, 0)
    #expect(run.takePending() == [:])
    for (step, expected) in Swift.zip([(JobStage.predict, 0.5), (.upload, 1)], after) {
      run.setProgress(step.0, step.1)
      #expect(run.takePending()["progress"] == expected)
    }
  }
}
