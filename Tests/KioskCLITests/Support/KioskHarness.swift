import Arrays
import Foundation
import ImageFiles
import JobQueue
import RedisClient
import TestSupport
import Testing

/// The built `kiosk` with the test's Redis, a folder bucket, and a consumer played by the test.
final class KioskHarness: Sendable {
  let redis: RedisClient
  let server: RedisServer
  let bucket: TemporaryFolder
  /// Where `kiosk` runs.
  let folder: TemporaryFolder

  static let queue = "segmentation"
  static let worker = "pod-1"

  init() throws {
    redis = try #require(RedisServer.connection)
    server = try #require(RedisServer.current)
    bucket = try TemporaryFolder()
    folder = try TemporaryFolder()
  }

  // MARK: The program

  var environment: [String: String] {
    [
      "REDIS_HOST": "127.0.0.1", "REDIS_PORT": String(server.port),
      "STORAGE_BUCKET": "file://" + bucket.path, "HOSTNAME": "laptop", "NO_COLOR": "",
      "LC_ALL": "C.UTF-8", "TERM": "xterm",
    ]
  }

  func start(_ arguments: [String], environment changes: [String: String] = [:]) async throws
    -> ChildProcess
  {
    try await ChildProcess.start(
      BuiltProduct.path("kiosk"), arguments,
      environment: environment.merging(changes) { $1 }, workingDirectory: folder.path)
  }

  /// Runs the program to its end.
  func kiosk(_ arguments: String..., environment changes: [String: String] = [:]) async throws
    -> ChildProcess.Status
  {
    let program = try await start(arguments, environment: changes)
    try await program.waitForExit(within: .seconds(60))
    return await program.status
  }

  // MARK: Files

  /// An image with two bright squares.
  static let image: NDArray<Float> = {
    var image = NDArray<Float>(shape: [40, 60])
    for y in 0..<40 {
      for x in 0..<60 { image[y, x] = labels[y, x] == 0 ? Float(x % 7) : 500 + Float(y) }
    }
    return image
  }()

  /// Its cells: one of 100 and one of 64 pixels.
  static let labels: NDArray<Int32> = {
    var labels = NDArray<Int32>(shape: [40, 60])
    for y in 5..<15 { for x in 5..<15 { labels[y, x] = 1 } }
    for y in 20..<28 { for x in 30..<38 { labels[y, x] = 2 } }
    return labels
  }()

  /// Writes the image to a file in the program's folder.
  @discardableResult
  func makeImage(_ name: String = "cells.tif") throws -> String {
    let path = folder.file(name)
    try FileManager.default.createDirectory(
      at: URL(filePath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(LabelFiles.encode(AnyNDArray(Self.image), channel: 0)).write(to: URL(filePath: path))
    return name
  }

  func files(in name: String) -> [String] {
    let found = FileManager.default.enumerator(atPath: folder.file(name))?.allObjects as? [String]
    return (found ?? []).filter { path in
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(
        atPath: folder.file("\(name)/\(path)"), isDirectory: &isFolder)
      return !isFolder.boolValue
    }.sorted()
  }

  /// Puts a result into the bucket.
  ///
  /// - Returns: its key.
  func putArchive(_ entries: [ZipEntry]) throws -> String {
    let key = "output/\(RandomName.hex(digits: 32)).zip"
    try FileManager.default.createDirectory(
      atPath: bucket.file("output"), withIntermediateDirectories: true)
    try ZipWriter.write(entries, to: bucket.file(key), name: "the result")
    return key
  }

  /// Puts an image into the bucket, where jobs of ``makeJob(_:_:)`` have theirs.
  func putInput(_ bytes: [UInt8], _ name: String) throws {
    try FileManager.default.createDirectory(
      atPath: bucket.file("uploads"), withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(filePath: bucket.file("uploads/\(name)")))
  }

  func putLabels(_ labels: NDArray<Int32> = labels, stem: String = "cells") throws -> String {
    try putArchive([
      ZipEntry(
        name: "\(stem)_batch_0_feature_0.tif",
        content: .bytes(LabelFiles.encode(AnyNDArray(labels), channel: 0)))
    ])
  }

  // MARK: The consumer

  /// Takes the next job as a consumer does.
  func takeJob(_ queue: String = queue) async throws -> Job {
    let reply = try await redis.blocking(
      RedisCommand("BLMOVE", queue, "processing-\(queue):\(Self.worker)", "RIGHT", "LEFT", 30),
      timeout: .seconds(32))
    let key = try #require(reply.string)
    let fields: [String: String] = try await redis.command("HGETALL", key).decode()
    return Job(key: key, fields: fields)
  }

  func set(_ key: String, _ fields: [String: String]) async throws {
    let arguments = [key] + fields.flatMap { [$0.key, $0.value] }
    try await redis.send(RedisCommand("HSET", arguments: arguments))
  }

  func finish(_ key: String, output: String) async throws {
    try await set(
      key,
      [
        "status": "done", "progress": "100", "output_file_name": output,
        "output_url": "file:///\(output)", "finished_at": Timestamp.now.description,
      ])
  }

  func fail(_ key: String, reason: String) async throws {
    try await set(key, ["status": "failed", "reason": reason, "error_code": "invalid_input"])
  }

  /// Makes a job that is there already.
  func makeJob(_ name: String = "cells.tif", _ fields: [String: String] = [:]) async throws
    -> String
  {
    let key = try await JobSubmission(
      queue: Self.queue, originalName: name, inputFileName: "uploads/\(name)"
    ).submit(to: redis, submitter: "test")
    if !fields.isEmpty { try await set(key, fields) }
    return key
  }

  func timeToLive(_ key: String) async throws -> Int {
    try await redis.command("TTL", key).decode()
  }
}

/// The objects of a program's `--json` output; fails on any other line.
func jsonLines(_ text: String) throws -> [[String: Any]] {
  try text.split(separator: "\n").map { line in
    let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
    return try #require(value as? [String: Any])
  }
}
