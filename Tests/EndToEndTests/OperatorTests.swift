import Foundation
import RedisClient
import TestSupport
import Testing

/// `kiosk` in an operator's hands while the daemon works.
@Suite struct OperatorTests {
  private func kiosk(
    _ harness: DaemonHarness, _ arguments: String...
  ) async throws -> [[String: Any]] {
    let program = try await ChildProcess.start(
      BuiltProduct.path("kiosk"), arguments + ["--json"],
      environment: harness.environment(["HOSTNAME": "laptop"]))
    let exit = try await program.waitForExit(within: .seconds(60))
    let status = await program.status
    #expect(exit == .code(0), "\(status.output)")
    return try status.standardOutput.split(separator: "\n").map { line in
      try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  @Test(.redisServer) func `a running job is cancelled and runs again when it is to`()
    async throws
  {
    let harness = try DaemonHarness(holdsModel: true)
    let daemon = try await harness.startDaemon(["GRPC_TIMEOUT": "120"])
    let key = try await harness.submit()
    try await harness.waitForStatus("predicting", of: key)

    let queue = try #require(try await kiosk(harness, "queues").first)
    #expect(queue["processing"] as? Int == 1 && queue["waiting"] as? Int == 0)
    let worker = try #require(try await kiosk(harness, "workers").first)
    #expect(worker["worker"] as? String == "pod-1" && worker["state"] as? String == "running")
    let jobs = try #require(worker["jobs"] as? [[String: Any]])
    #expect(jobs.first?["job"] as? String == key && jobs.first?["stage"] as? String == "predicting")

    #expect(try await kiosk(harness, "cancel", key).first?["outcome"] as? String == "running")
    let canceled = try await harness.end(of: key)
    #expect(canceled["status"] == "failed" && canceled["error_code"] == "canceled")
    let listed = try await kiosk(harness, "jobs", DaemonHarness.queue, "--state", "canceled")
    #expect(listed.map { $0["job"] as? String } == [key])
    #expect(try await kiosk(harness, "dead", DaemonHarness.queue).isEmpty)

    await harness.models.release()
    #expect(try await kiosk(harness, "requeue", key).first?["outcome"] as? String == "requeued")
    #expect(try await harness.end(of: key)["status"] == "done")
    #expect(try await daemon.stop() == .code(0))
    #expect(try await kiosk(harness, "workers").isEmpty)
  }

  @Test(.redisServer) func `a paused queue's jobs begin once it is resumed`() async throws {
    let harness = try DaemonHarness()
    _ = try await kiosk(harness, "pause", DaemonHarness.queue)
    let daemon = try await harness.startDaemon()
    let key = try await harness.submit()
    try await eventually("the worker is there", within: .seconds(60)) {
      try await kiosk(harness, "queues").first?["workers"] as? Int == 1
    }
    #expect(try await harness.fields(key)["status"] == "new")
    _ = try await kiosk(harness, "resume", DaemonHarness.queue)
    #expect(try await harness.end(of: key)["status"] == "done")
    #expect(try await daemon.stop() == .code(0))
  }
}
