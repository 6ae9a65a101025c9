import Arrays
import Foundation
import ImageFiles
import JobQueue
import RedisClient
import TestSupport

/// A Redis, a model server, a bucket with an image, and pods to be started on them.
struct Stage: Sendable {
  static let queue = "bench"
  /// Pixels of a side of the image.
  private static let side = 1024

  let server: RedisServer
  let model: HeldModel
  private let folder: TemporaryFolder
  private var client: RedisClient?

  init() async throws {
    server = try await RedisServer.start()
    model = try HeldModel()
    folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder.file("bucket/uploads"), withIntermediateDirectories: true)
    let pixels = NDArray<Float>(uninitialized: [Self.side, Self.side]) { buffer in
      for i in buffer.indices {
        let (dy, dx) = (Float(i / Self.side % 24) - 12, Float(i % Self.side % 24) - 12)
        buffer[i] = dy * dy + dx * dx < 100 ? 2000 : 200
      }
    }
    let image = try LabelFiles.encode(AnyNDArray(pixels), channel: 0)
    try Data(image).write(to: URL(filePath: folder.file("bucket/uploads/image.tif")))
  }

  func connected(by redis: RedisClient) -> Stage {
    var stage = self
    stage.client = redis
    return stage
  }

  var redis: RedisClient {
    guard let client else { preconditionFailure("the stage is not connected") }
    return client
  }

  /// The queue as an operator sees it.
  func operatorQueue(_ queue: String = queue) -> JobQueue {
    JobQueue(name: queue, worker: "operator", redis: redis)
  }

  /// Starts a pod; one of a new name has begun to take jobs when this returns.
  func pod(
    _ name: String, queue: String = queue, _ changes: [String: String] = [:]
  ) async throws -> ChildProcess {
    let pod = try await ChildProcess.start(
      BuiltProduct.path("consume-redis-events"),
      environment: [
        "QUEUE": queue, "HOSTNAME": name, "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": String(server.port), "TF_HOST": "127.0.0.1", "TF_PORT": String(model.port),
        "STORAGE_BUCKET": "file://" + folder.file("bucket"), "TMPDIR": folder.path,
        "LOG_FORMAT": "json",
      ].merging(changes) { $1 })
    // Its card is written by the first heartbeat.
    try await reaches("\(name) has started") { [redis] in
      try await redis.command("EXISTS", Keys.card(of: name)) == 1
    }
    return pod
  }

  func submit(to queue: String = queue) async throws -> String {
    try await JobSubmission(
      queue: queue, originalName: "image.tif", inputFileName: "uploads/image.tif"
    ).submit(to: redis, submitter: "benchmark")
  }

  func field(_ name: String, of job: String) async throws -> String? {
    try await redis.command("HGET", job, name).decode()
  }

  /// The token of a job's claim; nil while nobody has it.
  func owner(of job: String) async throws -> String? {
    try await redis.command("HGET", Keys.control(of: job), "owner").decode()
  }

  /// Waits until the job is in work, and returns whose token it has.
  @discardableResult
  func runs(_ job: String, notBy old: String? = nil) async throws -> String {
    let owner = Watched<String?>(nil)
    try await reaches("\(job) runs") {
      let token = try await self.owner(of: job)
      await owner.update { $0 = token }
      return token != nil && token != old
    }
    return await owner.value ?? ""
  }

  func end() async {
    await model.stop()
    try? await server.stop()
  }
}

/// Waits for what only Redis can tell, looking each millisecond.
func reaches(
  _ what: String, within limit: Duration = .seconds(60),
  _ condition: @escaping @Sendable () async throws -> Bool
) async throws {
  try await within(limit, "waiting until \(what)") {
    while try await !condition() { try await Task.sleep(for: .milliseconds(1)) }
  }
}
