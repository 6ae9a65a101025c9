import Foundation
import JobQueue
import RedisClient
import TestSupport

/// A consumer process and what it needs.
final class Bench: Sendable {
  private let redis: RedisClient
  private let folder: TemporaryFolder
  private let daemon: ChildProcess
  private let queue = "bench-\(UUID().uuidString.prefix(8).lowercased())"

  init(server: RedisServer, redis: RedisClient, model: CannedModel, slots: Int) async throws {
    self.redis = redis
    folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder.file("bucket/uploads"), withIntermediateDirectories: true)
    daemon = try await ChildProcess.start(
      BuiltProduct.path("consume-redis-events"),
      environment: [
        "QUEUE": queue, "HOSTNAME": queue, "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": String(server.port), "TF_HOST": "127.0.0.1", "TF_PORT": String(model.port),
        "STORAGE_BUCKET": "file://" + folder.file("bucket"), "TMPDIR": folder.path,
        "MAX_CONCURRENT_JOBS": String(slots), "LOG_FORMAT": "json",
      ])
  }

  func store(_ bytes: [UInt8], as name: String) throws {
    try Data(bytes).write(to: URL(filePath: folder.file("bucket/uploads/\(name)")))
  }

  /// Runs jobs, each after the one before or all at once, and returns the numbers the daemon logs.
  func run(_ count: Int, atOnce: Bool = false) async throws -> [[String: Double]] {
    var keys: [String] = []
    for _ in 0..<count {
      keys.append(
        try await JobSubmission(
          queue: queue, originalName: "image.tif", inputFileName: "uploads/image.tif"
        ).submit(to: redis, submitter: "benchmark"))
      if !atOnce { try await waitForEnd(of: keys[keys.count - 1]) }
    }
    for key in keys { try await waitForEnd(of: key) }
    return try await results(of: keys)
  }

  private func waitForEnd(of key: String) async throws {
    while true {
      let reply: [String?] = try await redis.command("HMGET", key, "status", "reason").decode()
      if reply[0] == "done" { return }
      if reply[0] == "failed" { throw TestSupportError(reply[1] ?? "a job failed") }
      try await Task.sleep(for: .milliseconds(2))
    }
  }

  private func results(of keys: [String]) async throws -> [[String: Double]] {
    let finished: @Sendable (String) -> [[String: Any]] = { output in
      output.split(separator: "\n").compactMap {
        try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
      }.filter { $0["event"] as? String == "job_finished" }
    }
    let wanted = Set(keys)
    let status = try await daemon.wait("the log of all jobs") { status in
      finished(status.standardOutput).count { wanted.contains($0["job_id"] as? String ?? "") }
        == wanted.count
    }
    return finished(status.standardOutput)
      .filter { wanted.contains($0["job_id"] as? String ?? "") }
      .map { event in
        event.compactMapValues { $0 as? Double ?? ($0 as? String).flatMap(Double.init) }
      }
  }

  /// MiB of the daemon's memory: `VmRSS` now, `VmHWM` at its peak.
  func memory(_ field: String) -> Double {
    let path = "/proc/\(daemon.processIdentifier)/status"
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix(field + ":") }
    let words = line?.split(whereSeparator: \.isWhitespace) ?? []
    return words.count > 1 ? (Double(words[1]) ?? .nan) / 1024 : .nan
  }

  func stop() async throws { try await daemon.stop() }
}
