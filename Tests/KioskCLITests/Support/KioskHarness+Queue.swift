import JobQueue
import RedisClient
import Testing

/// Jobs in all their places, put there by the queue itself.
extension KioskHarness {
  func jobQueue(_ name: String = queue, worker: String = worker) -> JobQueue {
    JobQueue(name: name, worker: worker, redis: redis)
  }

  /// A worker with jobs named after where they are: done, failed, running, waiting and delayed.
  func fillQueue() async throws {
    let queue = jobQueue()
    _ = try await queue.heartbeat([], card: ["state": "running", "version": "9"])
    func claim(_ key: String) async throws -> ClaimedJob {
      _ = try await queue.submit(key, ["status": "new", "original_name": "\(key).tif"])
      return try #require(try await queue.claim(upTo: 1).jobs.first)
    }
    _ = try await queue.finish(try await claim("done"), .done)
    _ = try await queue.fail(
      try await claim("failed"),
      JobFailure(.input, reason: "first\nValueError: too dark", errorCode: "invalid_input"))
    _ = try await claim("running")
    _ = try await queue.submit("waiting", ["status": "new", "original_name": "waiting.tif"])
    _ = try await queue.submit(
      "delayed", ["status": "new"], DeliveryOptions(.delayed(.seconds(3600))))
  }

  func status(of key: String) async throws -> String? {
    try await redis.command("HGET", key, "status").string
  }
}
