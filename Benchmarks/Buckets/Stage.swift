import Buckets
import Foundation
import TestSupport

/// A server with a bucket, and a folder for files.
struct Stage {
  let server: S3Server
  /// Exists as long as the stage.
  private let temporary: TemporaryFolder

  static func with(_ program: S3Program, _ body: (Stage) async throws -> Void) async throws {
    let server = try await S3Server.start(program)
    do {
      try await body(Stage(server: server, temporary: TemporaryFolder()))
    } catch {
      _ = try? await server.stop()
      throw error
    }
    try await server.stop()
  }

  /// - Parameter endpoint: another than the server's.
  func bucket(
    at endpoint: String? = nil, checksum: S3Settings.UploadChecksum = .md5
  ) throws -> any Bucket {
    try Self.bucket(
      server.bucket, at: endpoint ?? server.endpoint, id: server.accessKeyID,
      secret: server.secretAccessKey, checksum: checksum)
  }

  static func bucket(
    _ name: String, at endpoint: String, id: String, secret: String,
    checksum: S3Settings.UploadChecksum = .md5
  ) throws -> any Bucket {
    var settings = S3Settings(bucket: name)
    settings.endpoint = endpoint
    settings.checksum = checksum
    let credential = try AWSCredential(accessKeyID: id, secretAccessKey: Secret(secret))
    return try S3Bucket(settings, credentials: FixedS3Credential(credential))
  }

  var folder: URL { URL(filePath: temporary.path) }

  func file(_ name: String) -> URL { folder.appending(path: name) }

  /// A new empty one.
  func makeFolder() throws -> URL {
    let url = file(UUID().uuidString)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
    return url
  }

  /// The URL of an object, for `curl`.
  func url(_ key: String) -> String { "\(server.endpoint)/\(server.bucket)/\(key)" }

  func curl(_ arguments: [String]) async throws -> String {
    try await runTool(
      "curl",
      ["--silent", "--show-error", "--fail", "--noproxy", "*"]
        + server.curlSignature() + arguments)
  }

  /// Writes a file of bytes that no compression makes smaller.
  func makeFile(_ name: String, byteCount: Int) throws -> URL {
    let url = file(name)
    guard FileManager.default.createFile(atPath: url.path, contents: nil) else {
      throw TestSupportError("cannot make \(url.path)")
    }
    let output = try FileHandle(forWritingTo: url)
    var generator = SystemRandomNumberGenerator()
    let words = (0..<min(byteCount / 8, 1 << 20)).map { _ in generator.next() }
    let block = words.withUnsafeBytes { Data($0) }
    for start in stride(from: 0, to: byteCount, by: max(block.count, 1)) {
      try output.write(contentsOf: block.prefix(byteCount - start))
    }
    try output.close()
    return url
  }
}
