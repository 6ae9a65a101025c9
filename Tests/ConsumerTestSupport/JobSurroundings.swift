import Buckets
import Consumers
import Foundation
import JobQueue
import Logging
import ModelServing
import RedisClient
import Serving
import TestSupport

/// Everything around a consumer, for one job.
struct JobSurroundings: Sendable {
  let server: RedisServer
  let redis: RedisClient
  let monitor: RedisMonitor
  let models: ModelServerHost
  let store: TemporaryFolder
  let work: TemporaryFolder

  static let queue = "test"
  static let worker = "test-worker"

  /// Starts everything, runs `body` and ends everything, however `body` ends.
  static func with<Result: Sendable>(
    _ models: TestModels, _ body: (JobSurroundings) async throws -> Result
  ) async throws -> Result {
    try await ProcessPermits.shared.with {
      let host = try models.serve()
      let server = try await RedisServer.start()
      do {
        let monitor = try await RedisMonitor.start(server)
        let quiet = Logger(label: "redis") { _ in SwiftLogNoOpLogHandler() }
        let result = try await RedisClient.withClient(server.configuration, logger: quiet) {
          try await body(
            JobSurroundings(
              server: server, redis: $0, monitor: monitor, models: host,
              store: TemporaryFolder(), work: TemporaryFolder()))
        }
        try await monitor.stop()
        try await server.stop()
        await host.stop()
        return result
      } catch {
        // Ends the monitor too.
        try await server.stop()
        await host.stop()
        throw error
      }
    }
  }

  /// Settings of a program that is to work here.
  var environment: [String: String] {
    [
      "QUEUE": Self.queue, "HOSTNAME": Self.worker, "REDIS_HOST": "127.0.0.1",
      "REDIS_PORT": String(server.port), "TF_HOST": "127.0.0.1", "TF_PORT": String(models.port),
      "STORAGE_BUCKET": "file://" + store.path, "TMPDIR": work.path, "LOG_FORMAT": "text",
    ]
  }

  /// Submits a job, lets `worker` do it, and collects what came of it.
  func result(
    of worker: some Worker, input: URL, fields: [String: String], timeLimit: Duration
  ) async throws -> ConsumerTestResult {
    let key: String
    do {
      key = try await submit(input, fields)
      try await waitForEnd(of: key, by: worker, within: timeLimit)
    } catch {
      await worker.abandon()
      throw error
    }
    let leftovers = try await worker.finish()
    let hash: [String: String] = try await redis.command("HGETALL", key).decode()
    var files: [String: [UInt8]] = [:]
    if let output = hash[Field.outputFileName] {
      files = try ConsumerTestResult.unpack(
        store.file(output), name: URL(filePath: output).lastPathComponent)
    }
    return ConsumerTestResult(
      fields: hash, statuses: await monitor.statuses(of: key), files: files,
      images: try ConsumerTestResult.decode(files), leftovers: leftovers, log: await worker.log)
  }

  private func submit(_ input: URL, _ fields: [String: String]) async throws -> String {
    let name = input.lastPathComponent
    let target = URL(filePath: store.file("uploads/\(name)"))
    try FileManager.default.createDirectory(
      at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
    do {
      try FileManager.default.copyItem(at: input, to: target)
    } catch {
      throw TestSupportError("cannot read the test's input \(input.path): \(error)")
    }
    return try await JobSubmission(
      queue: Self.queue, originalName: name, inputFileName: "uploads/\(name)", fields: fields
    ).submit(to: redis, submitter: "test")
  }

  private func waitForEnd(
    of key: String, by worker: some Worker, within limit: Duration
  ) async throws {
    do {
      try await within(limit, "the job") { [redis, monitor] in
        while true {
          let status: String = try await redis.command("HGET", key, Field.status).decode()
          if JobStatus(rawValue: status).isFinal { break }
          try await worker.check()
          try await Task.sleep(for: .milliseconds(5))
        }
        try await monitor.waitForEnd(of: key)
      }
    } catch let error as TestSupportError {
      let statuses = await monitor.statuses(of: key)
      let hint =
        statuses.last == .waiting
        ? "; it waits for jobs of other queues: name their consumers as others:" : ""
      throw TestSupportError(
        "\(error); its statuses were \(statuses)\(hint)\n\(await worker.log)")
    }
  }
}
