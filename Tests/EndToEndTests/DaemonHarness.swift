import Arrays
import Foundation
import JobQueue
import ModelServing
import RedisClient
import Serving
import TestSupport
import Testing

/// The built `consume-redis-events` with everything around it: the test's Redis, a folder bucket and
/// a model server in this process.
final class DaemonHarness: Sendable {
  let redis: RedisClient
  let server: RedisServer
  let store: TemporaryFolder
  let work: TemporaryFolder
  let models: SlowModel

  static let queue = "segmentation"

  /// - Parameter holdsModel: whether the model answers only after ``SlowModel/release()``.
  init(holdsModel: Bool = false) throws {
    redis = try #require(RedisServer.connection)
    server = try #require(RedisServer.current)
    store = try TemporaryFolder()
    work = try TemporaryFolder()
    models = try SlowModel(isHeld: holdsModel)
  }

  func environment(_ changes: [String: String] = [:]) -> [String: String] {
    [
      "QUEUE": Self.queue, "HOSTNAME": "pod-1", "REDIS_HOST": "127.0.0.1",
      "REDIS_PORT": String(server.port), "TF_HOST": "127.0.0.1",
      "TF_PORT": String(models.port), "STORAGE_BUCKET": "file://" + store.path,
      "TMPDIR": work.path, "LOG_LEVEL": "INFO", "LOG_FORMAT": "json",
    ].merging(changes) { $1 }
  }

  func startDaemon(_ changes: [String: String] = [:]) async throws -> ChildProcess {
    try await ChildProcess.start(
      BuiltProduct.path("consume-redis-events"), environment: environment(changes))
  }

  /// Submits a job on an image of the fixtures.
  func submit(_ image: String = "nuclear_256.tif", name: String? = nil) async throws -> String {
    let name = name ?? image
    let folder = store.file("uploads")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let target = folder + "/" + name
    if !FileManager.default.fileExists(atPath: target) {
      try FileManager.default.copyItem(atPath: Self.inputs + "/" + image, toPath: target)
    }
    return try await JobSubmission(
      queue: Self.queue, originalName: name, inputFileName: "uploads/\(name)"
    ).submit(to: redis, submitter: "test")
  }

  func fields(_ key: String) async throws -> [String: String] {
    try await redis.command("HGETALL", key).decode()
  }

  func list(_ key: String) async throws -> [String] {
    try await redis.command("LRANGE", key, 0, -1).decode()
  }

  func end(of key: String) async throws -> [String: String] {
    try await eventually("\(key) has ended", within: .seconds(60)) { [self] in
      ["done", "failed"].contains(try await fields(key)["status"])
    }
    return try await fields(key)
  }

  func waitForStatus(_ status: String, of key: String) async throws {
    try await eventually("\(key) is \(status)", within: .seconds(60)) { [self] in
      try await fields(key)["status"] == status
    }
  }

  static let inputs = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Fixtures/jobs/inputs").path
}

/// A model whose answers can be held back: both heads are the image where it is bright.
final class SlowModel: Sendable {
  private let host: ModelServerHost
  private let isHeld: Watched<Bool>

  var port: Int { host.port }

  init(isHeld: Bool = false, port: Int = 0) throws {
    let isHeld = Watched(isHeld)
    self.isHeld = isHeld
    host = try ModelServerHost(address: "127.0.0.1", port: port) { call in
      switch call.request {
      case .metadata(let model):
        let image = ModelMetadata.Tensor(
          graphName: "serving_default_input_0:0", type: TensorType(.float32),
          shape: [-1, 256, 256, 1])
        return .metadata(
          ModelMetadata(inputs: ["input_0": image], outputs: ["semantic": image]), model: model)
      case .predict(let call):
        guard let image = call.inputs["input_0"]?.typed(as: Float.self) else {
          return .failure(.invalidArgument, "input_0 is missing")
        }
        // Ends early when the caller goes away.
        _ = try? await isHeld.wait { !$0 }
        let bright = AnyNDArray(image.map { $0 > 0.6 ? $0 : 0 })
        return .outputs(
          ["semantic": bright, "semantic_1": bright], model: call.model, encoding: .typed)
      default: return .failure(.unimplemented, "not here")
      }
    }
  }

  /// Lets all answers go.
  func release() async { await isHeld.update { $0 = false } }

  func stop() async { await host.stop(grace: .zero) }
}
