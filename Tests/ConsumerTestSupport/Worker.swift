import Buckets
import Consumers
import Foundation
import JobQueue
import Logging
import Serving
import TestSupport

/// What does the job of a test.
protocol Worker: Sendable {
  /// Throws if it cannot go on.
  func check() async throws
  /// Lets it end in order.
  ///
  /// - Returns: temporary files that it left.
  func finish() async throws -> [String]
  /// Ends it after a failure, which is what will be reported.
  func abandon() async
  var log: String { get async }
}

/// Consumer classes in this process.
struct ServiceInProcess: Worker {
  private let services: [ConsumerService]
  private let folder: WorkFolder
  private let lines: LogLines
  private let running: Watched<Int>

  /// - Parameter others: consumers of further queues.
  init(
    _ type: Consumer.Type, others: [String: Consumer.Type], _ surroundings: JobSurroundings,
    _ settings: ConsumerSettings
  ) throws {
    let lines = LogLines()
    let logger = Logger(label: "consumer") { _ in lines.handler }
    let folder = try WorkFolder(in: surroundings.work.path, logger: logger)
    var serving = ServingConfiguration()
    serving.host = "127.0.0.1"
    serving.port = surroundings.models.port
    serving.backoff = .milliseconds(50)
    let models = ServingClient(serving, logger: logger)
    let bucket = try FolderBucket(path: surroundings.store.path)

    let tested = type.list(for: JobSurroundings.queue)
    let consumers = others.merging([tested: type]) { $1 }
    services = consumers.map { queue, type in
      let isOther = queue != tested
      let context = ConsumerContext(
        queue: JobQueue(
          name: queue.lowercased(),
          worker: JobSurroundings.worker + (isOther ? "-" + queue.lowercased() : ""),
          redis: surroundings.redis,
          // A test wants to see the first failure, not the last.
          settings: DeliverySettings(retries: RetrySchedule(maximumAttempts: 1))),
        bucket: bucket, models: models, settings: settings, workFolder: folder, logger: logger)
      return ConsumerService(type, context: context, slotCount: 1)
    }
    self.folder = folder
    self.lines = lines
    running = Watched(services.count)
    for service in services {
      // Not structured: a consumer that does not end must not keep the test from failing.
      Task { [running] in
        await service.run()
        await running.update { $0 -= 1 }
      }
    }
  }

  func check() {}

  func finish() async throws -> [String] {
    for service in services { service.drain() }
    _ = try await within(.seconds(120), "the service's end") { [running] in
      try await running.wait { $0 == 0 }
    }
    return try FileManager.default.subpathsOfDirectory(atPath: folder.url.path)
      .filter { $0 != ".lock" }
  }

  func abandon() async {
    for service in services { service.stop() }
    let grace = Duration.seconds(5)
    do {
      _ = try await within(grace, "") { [running] in try await running.wait { $0 == 0 } }
    } catch {
      lines.append("error: the consumer does not react to cancellation; its thread goes on")
    }
  }

  var log: String { lines.text }
}

/// A program of the package under test.
struct ProgramBeside: Worker {
  private let process: ChildProcess
  private let folder: TemporaryFolder

  init(_ path: String, _ environment: [String: String], folder: TemporaryFolder) async throws {
    process = try await ChildProcess.start(path, environment: environment)
    self.folder = folder
  }

  func check() async throws {
    guard let exit = await process.status.exit else { return }
    throw TestSupportError("the program ended with \(exit) before the job did")
  }

  func finish() async throws -> [String] {
    let exit = try await process.stop(grace: .seconds(120))
    guard exit == .code(0) else {
      throw TestSupportError("the program ended with \(exit) on SIGTERM\n\(await log)")
    }
    return try FileManager.default.subpathsOfDirectory(atPath: folder.path)
  }

  func abandon() async { _ = try? await process.stop() }

  var log: String { get async { await process.status.output } }
}
