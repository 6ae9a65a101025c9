import Foundation
import RedisClient
import TestSupport
import Testing

/// The daemon as it is deployed: one process, real Redis, real gRPC, real files, real signals.
@Suite struct DaemonTests {
  @Test(.redisServer) func `a job is done and two lines tell of it`() async throws {
    let harness = try DaemonHarness()
    let daemon = try await harness.startDaemon()
    let key = try await harness.submit()

    let fields = try await harness.end(of: key)
    #expect(fields["status"] == "done", "\(fields)")
    #expect(
      FileManager.default.fileExists(atPath: harness.store.file(fields["output_file_name"] ?? "")))

    #expect(try await daemon.stop() == .code(0))
    let lines = await daemon.status.standardOutput.split(separator: "\n")
    let events = try lines.map { line in
      try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
    let ofTheJob = events.filter { $0["job_id"] as? String == key }
    #expect(ofTheJob.map { $0["event"] as? String } == ["job_claimed", "job_finished"])
    #expect(ofTheJob.last?["outcome"] as? String == "done")
    #expect(ofTheJob.last?["duration_ms"] is Double)
    #expect(ofTheJob.last?["predict_ms"] != nil)
    #expect(await daemon.status.standardError == "")
    #expect(try leftovers(harness).isEmpty)
  }

  @Test(.redisServer) func `SIGTERM lets the running job end and takes no other`() async throws {
    let harness = try DaemonHarness(holdsModel: true)
    let daemon = try await harness.startDaemon(["GRPC_TIMEOUT": "120"])
    let running = try await harness.submit(name: "running.tif")
    try await harness.waitForStatus("predicting", of: running)
    let waiting = try await harness.submit(name: "waiting.tif")

    await daemon.send(SIGTERM)
    try await daemon.wait(forOutput: "draining")
    await harness.models.release()

    #expect(try await daemon.waitForExit() == .code(0))
    #expect(try await harness.fields(running)["status"] == "done")
    #expect(try await harness.fields(waiting)["status"] == "new")
    #expect(try await harness.list(DaemonHarness.queue) == [waiting])
    #expect(try leftovers(harness).isEmpty)
  }

  @Test(.redisServer) func `SIGTERM right after the start is an orderly stop`() async throws {
    let harness = try DaemonHarness()
    let daemon = try await harness.startDaemon()
    try await daemon.wait(forOutput: "started")
    await daemon.send(SIGTERM)
    #expect(try await daemon.waitForExit() == .code(0))
    #expect(try leftovers(harness).isEmpty)
  }

  @Test(.redisServer, arguments: [true, false])
  func `a second signal or the end of the grace period puts the running job back`(
    signalsTwice: Bool
  ) async throws {
    let harness = try DaemonHarness(holdsModel: true)
    let daemon = try await harness.startDaemon(
      ["SHUTDOWN_TIMEOUT": signalsTwice ? "570" : "0.2", "GRPC_TIMEOUT": "120"])
    let key = try await harness.submit()
    try await harness.waitForStatus("predicting", of: key)

    await daemon.send(SIGTERM)
    if signalsTwice {
      try await daemon.wait(forOutput: "draining")
      await daemon.send(SIGTERM)
    }

    #expect(try await daemon.waitForExit() == .code(0))
    let fields = try await harness.fields(key)
    #expect(fields["status"] == "new")
    #expect(fields["progress"] == nil)
    #expect(try await harness.list(DaemonHarness.queue) == [key])
    #expect(try await harness.list("processing-segmentation:pod-1").isEmpty)
    #expect(try leftovers(harness).isEmpty)
  }

  @Test(.redisServer) func `a killed process leaves its job in one list, and the next finds it`()
    async throws
  {
    let harness = try DaemonHarness(holdsModel: true)
    let first = try await harness.startDaemon(["GRPC_TIMEOUT": "120"])
    let key = try await harness.submit()
    try await harness.waitForStatus("predicting", of: key)
    await first.send(SIGKILL)
    _ = try await first.waitForExit()
    #expect(try await harness.list("processing-segmentation:pod-1") == [key])
    #expect(try await harness.list(DaemonHarness.queue).isEmpty)

    await harness.models.release()
    let second = try await harness.startDaemon()
    #expect(try await harness.end(of: key)["status"] == "done")
    #expect(try await second.stop() == .code(0))
    // The files of the first one too.
    #expect(try leftovers(harness).isEmpty)
  }

  @Test(.redisServer) func `a model server that is away is waited for`() async throws {
    let harness = try DaemonHarness()
    let port = harness.models.port
    await harness.models.stop()
    let daemon = try await harness.startDaemon(["MAX_CONCURRENT_JOBS": "2"])
    let key = try await harness.submit()
    try await harness.waitForStatus("pre-processing", of: key)
    try await eventually("the job says what it waits for") {
      try await harness.fields(key)["last_error"]?.hasPrefix("predict_unavailable: ") == true
    }
    // In work and visible to the autoscaler, which is to start the model server.
    #expect(try await harness.list("processing-segmentation:pod-1") == [key])
    // Another would wait too, and is left to others.
    let next = try await harness.submit()
    try await Task.sleep(for: .milliseconds(300))
    #expect(try await harness.list(DaemonHarness.queue) == [next])

    let models = try SlowModel(port: port)
    let fields = try await harness.end(of: key)
    #expect(fields["status"] == "done")
    #expect(try await harness.end(of: next)["status"] == "done")
    #expect(fields["last_error"] == "")
    #expect(try await daemon.stop() == .code(0))
    await models.stop()
  }

  @Test(.redisServer) func `Redis may come later and go away meanwhile`() async throws {
    let harness = try DaemonHarness()
    try await harness.redis.command("CONFIG", "SET", "appendonly", "yes")
    try await harness.server.stop()
    let daemon = try await harness.startDaemon()
    try await daemon.wait(forOutput: "started")
    try await harness.server.start()
    let first = try await harness.submit(name: "first.tif")
    #expect(try await harness.end(of: first)["status"] == "done")

    try await harness.server.restart()
    let second = try await harness.submit(name: "second.tif")
    #expect(try await harness.end(of: second)["status"] == "done")
    #expect(try await daemon.stop() == .code(0))
  }

  @Test(.redisServer) func `Redis is found through a Sentinel, and risks are told`() async throws {
    let harness = try DaemonHarness()
    let options = ["down-after-milliseconds 600000"]
    let sentinel = try await SentinelServer.start(
      watching: .init("ant", port: try freePort(), options: options),
      .init("kiosk", port: harness.server.port, options: options),
      settings: ["requirepass s3cr3t-pass"])
    let daemon = try await harness.startDaemon([
      "REDIS_HOST": "127.0.0.1:\(try freePort()),127.0.0.1", "REDIS_PORT": "\(sentinel.port)",
      "REDIS_SENTINEL_MASTER": "kiosk", "REDIS_SENTINEL_PASSWORD": "s3cr3t-pass",
    ])
    let key = try await harness.submit()
    #expect(try await harness.end(of: key)["status"] == "done")
    try await daemon.wait(forOutput: "Redis saves nothing to disk")
    #expect(try await daemon.stop() == .code(0))
    let output = await daemon.status.output
    #expect(output.components(separatedBy: "redis_advice").count == 2, "\(output)")
    #expect(!output.contains("s3cr3t-pass"))
    try await sentinel.stop()
  }

  @Test(.redisServer) func `several jobs are worked on at once`() async throws {
    let harness = try DaemonHarness(holdsModel: true)
    let daemon = try await harness.startDaemon(["MAX_CONCURRENT_JOBS": "3", "GRPC_TIMEOUT": "120"])
    var keys: [String] = []
    for i in 0..<6 { keys.append(try await harness.submit(name: "image \(i).tif")) }
    for key in keys.prefix(3) { try await harness.waitForStatus("predicting", of: key) }
    #expect(try await harness.list(DaemonHarness.queue).count == 3)
    await harness.models.release()
    for key in keys { #expect(try await harness.end(of: key)["status"] == "done") }
    #expect(try await daemon.stop() == .code(0))
    #expect(try await harness.list("processing-segmentation:pod-1").isEmpty)
  }

  @Test(.redisServer) func `a corrupt image fails in words and the next job runs`() async throws {
    let harness = try DaemonHarness()
    let daemon = try await harness.startDaemon()
    let bad = try await harness.submit("corrupt.tif")
    let good = try await harness.submit()
    let fields = try await harness.end(of: bad)
    #expect(fields["status"] == "failed")
    #expect(fields["error_code"] == "invalid_input")
    let reason = try #require(fields["reason"])
    #expect(reason.contains("corrupt.tif"))
    #expect(!reason.contains(harness.work.path) && !reason.contains("\n"))
    #expect(try await harness.end(of: good)["status"] == "done")
    #expect(try await daemon.stop() == .code(0))
    #expect(try leftovers(harness).isEmpty)
  }

  @Test(.redisServer(.password("s3cr3t-pass"))) func `secrets are in no line of the log`()
    async throws
  {
    let harness = try DaemonHarness()
    let daemon = try await harness.startDaemon(
      ["REDIS_PASSWORD": "s3cr3t-pass", "LOG_LEVEL": "DEBUG"])
    let key = try await harness.submit()
    #expect(try await harness.end(of: key)["status"] == "done")
    #expect(try await daemon.stop() == .code(0))
    let output = await daemon.status.output
    #expect(output.contains("job_finished"))
    #expect(!output.contains("s3cr3t-pass"))
  }

  @Test(.programs) func `settings that cannot be used end the start with 78 and all problems`()
    async throws
  {
    let daemon = try await ChildProcess.start(
      BuiltProduct.path("consume-redis-events"), ["--redis-port", "x"],
      environment: [
        "CONSUMER_TYPE": "toaster", "STORAGE_BUCKET": "bucket", "QUEUE": "a:b", "HOSTNAME": "c:d",
      ])
    #expect(try await daemon.waitForExit() == .code(78))
    let errors = await daemon.status.standardError
    for name in ["REDIS_PORT", "CONSUMER_TYPE", "STORAGE_BUCKET", "QUEUE", "HOSTNAME"] {
      #expect(errors.contains("\(name): "), "\(errors)")
    }
    #expect(errors.contains("caliban, image, mesmer"))
  }

  @Test(.programs) func `the effective settings can be printed, without secrets`() async throws {
    let daemon = try await ChildProcess.start(
      BuiltProduct.path("consume-redis-events"), ["--check-config"],
      environment: [
        "REDIS_PASSWORD": "s3cr3t-pass", "QUEUE": "Nuclei", "AWS_ACCESS_KEY_ID": "AKIDs3cr3t-pass",
      ])
    #expect(try await daemon.waitForExit() == .code(0))
    let output = await daemon.status.standardOutput
    #expect(output.contains("QUEUE=Nuclei\n"))
    #expect(output.contains("REDIS_PASSWORD=***\n"))
    #expect(!output.contains("s3cr3t-pass"))
  }

  @Test(.programs) func `an option that is not known is told without its value`() async throws {
    let daemon = try await ChildProcess.start(
      BuiltProduct.path("consume-redis-events"), ["--redis-pasword=s3cr3t-pass"], environment: [:])
    #expect(try await daemon.waitForExit() == .code(78))
    let errors = await daemon.status.standardError
    #expect(errors.contains("--redis-pasword: unknown option"))
    #expect(!errors.contains("s3cr3t-pass"))
  }

  /// Temporary files that are still there.
  private func leftovers(_ harness: DaemonHarness) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: harness.work.path)
  }
}
