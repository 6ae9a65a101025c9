import Foundation
import JobQueue
import RedisClient
import TestSupport
import Testing

/// Bad input as the deployed daemon meets it.
@Suite struct BadInputDaemonTests {
  @Test(.redisServer) func `entries without a job are dropped, logged and never made again`()
    async throws
  {
    let harness = try DaemonHarness()
    let redis = harness.redis
    let queue = DaemonHarness.queue
    try await redis.command("HSET", "expired", "status", "new")
    try await redis.command("SET", "text", "status")
    try await redis.command("RPUSH", "list", "status")
    for key in ["missing", "expired", "text", "list", "plain é:\n1"] {
      try await redis.command("LPUSH", queue, key)
    }
    // Between its push and its claim.
    try await redis.command("PEXPIRE", "expired", 1)
    try await eventually("the key has expired") {
      try await redis.command("EXISTS", "expired") == 0
    }
    let good = try await harness.submit()
    let daemon = try await harness.startDaemon()

    #expect(try await harness.end(of: good)["status"] == "done")
    #expect(try await daemon.stop() == .code(0))
    let dropped = try await daemon.status.standardOutput.split(separator: "\n")
      .map { try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]) }
      .filter { $0["event"] as? String == "entry_dropped" }
    #expect(
      dropped.map { $0["job_id"] as? String }
        == ["missing", "expired", "text", "list", "plain é:\n1"])
    #expect(
      dropped.map { $0["error"] as? String } == ["missing", "missing", "string", "list", "missing"])
    let keys: [String] = try await redis.command("KEYS", "*").decode()
    // The daemon keeps what it learns of models for others, and what belongs to its queue.
    let others = Set(keys.filter { !$0.hasPrefix("kiosk:") }).subtracting(["NuclearSegmentation:6"])
    #expect(others == ["text", "list", good])
    #expect(try await redis.command("GET", "text") == "status")
    #expect(try await harness.list("list") == ["status"])
  }

  /// A disk that is full, made without the rights of root: a limit on the size of each file.
  @Test(.redisServer, arguments: ["nuclear_256.tif", "nuclear_256.png"])
  func `a full disk fails the job that needs it, and its worker's log says where`(
    image: String
  ) async throws {
    let harness = try DaemonHarness()
    // 128,000 bytes: less than the copy of the first image, and less than the result of the second.
    let daemon = try await ChildProcess.start(
      "/bin/sh", ["-c", "ulimit -f 250 && exec \"$0\"", BuiltProduct.path("consume-redis-events")],
      environment: harness.environment())
    let bad = try await harness.submit(image)
    let small = try await harness.submit("corrupt.tif")
    try await checkFullDisk(harness, daemon, bad, "File too large")
    // The process goes on: the next job is read, and fails for what it is.
    #expect(try await harness.end(of: small)["error_code"] == "invalid_input")
    #expect(
      try FileManager.default.subpathsOfDirectory(atPath: harness.work.path)
        .filter { !$0.contains("kiosk-work-") || $0.split(separator: "/").count > 2 } == [])
    #expect(try await daemon.stop() == .code(0))
    #expect(try FileManager.default.subpathsOfDirectory(atPath: harness.work.path) == [])
    #expect(!FileManager.default.fileExists(atPath: harness.store.file("output")))
  }

  /// A disk of its own, where the system lets anyone make one.
  @Test(.redisServer, .enabled("needs unshare(1) and user namespaces", canMount))
  func `a temporary folder on a full disk fails the job in words`() async throws {
    let harness = try DaemonHarness()
    let script = "mount -t tmpfs -o size=512k kiosk \"$TMPDIR\" && exec \"$0\""
    let daemon = try await ChildProcess.start(
      "unshare", ["-Urm", "/bin/sh", "-c", script, BuiltProduct.path("consume-redis-events")],
      environment: harness.environment())
    let bad = try await harness.submit()
    try await checkFullDisk(harness, daemon, bad, "No space left on device")
    let disk = "/proc/\(daemon.processIdentifier)/root" + harness.work.path
    let left = try FileManager.default.subpathsOfDirectory(atPath: disk)
    #expect(left.allSatisfy { $0.hasPrefix("kiosk-work-") } && left.count == 2, "\(left)")
    #expect(try await daemon.stop() == .code(0))
  }

  private func checkFullDisk(
    _ harness: DaemonHarness, _ daemon: ChildProcess, _ key: String, _ cause: String
  ) async throws {
    let fields = try await harness.end(of: key)
    #expect(fields["status"] == "failed")
    #expect(fields["error_code"] == "internal")
    #expect(fields["finished_at"] != nil)
    let reason = try #require(fields["reason"])
    #expect(reason.hasPrefix("Internal: "))
    #expect(reason.contains(cause), "\(reason)")
    #expect(!reason.contains(harness.work.path) && !reason.contains("\n"))
    #expect(try await harness.list("processing-segmentation:pod-1").filter { $0 == key } == [])
    try await daemon.wait(forOutput: "job_finished")
    let line = try #require(
      await daemon.status.standardOutput.split(separator: "\n").first {
        $0.contains("job_finished")
      }
    )
    let event = try #require(
      JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    #expect((event["detail"] as? String)?.contains(harness.work.path) == true, "\(line)")
  }

  @Sendable private static func canMount() async -> Bool {
    let arguments = ["-Urm", "mount", "-t", "tmpfs", "kiosk", "/tmp"]
    return (try? await runTool("unshare", arguments)) != nil
  }
}
