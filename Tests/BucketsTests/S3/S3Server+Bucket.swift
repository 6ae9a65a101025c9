import Foundation
import Logging
import Retrying
import Synchronization
import TestSupport

@testable import Buckets

extension S3Server {
  /// A bucket of this server.
  ///
  /// - Parameters:
  ///   - endpoint: of a proxy before it.
  ///   - lateness: of the client's time of day.
  func open(
    through endpoint: String? = nil, accessKeyID: String = S3Server.accessKeyID,
    secret: String? = nil, log: RecordedLog? = nil,
    clock: AnyClock = .continuous, lateness: Lateness = Lateness(),
    _ change: (inout S3Settings) -> Void = { _ in }
  ) throws -> S3Bucket {
    var settings = S3Settings(bucket: bucket)
    settings.endpoint = endpoint ?? self.endpoint
    settings.transfers.maximumBackoff = .milliseconds(20)
    settings.transfers.authorityFile = certificates?.authorityFile
    change(&settings)
    let credential = try Self.credential(accessKeyID: accessKeyID, secret: secret)
    return try S3Bucket(
      settings, credentials: FixedS3Credential(credential),
      logger: log?.logger ?? Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, clock: clock,
      now: { WallClock.now() - lateness.seconds })
  }

  static func credential(
    accessKeyID: String = accessKeyID, secret: String? = nil
  ) throws -> AWSCredential {
    try AWSCredential(accessKeyID: accessKeyID, secretAccessKey: Secret(secret ?? secretAccessKey))
  }

  /// The uploads that are under way, as XML.
  func uploads() async throws -> String {
    try await curl("GET", "\(bucket)?uploads=").body
  }

  /// Whether an upload of the file has left parts.
  func hasParts(of file: URL) async throws -> Bool {
    try await uploads().contains(file.lastPathComponent)
  }
}

extension TemporaryFolder {
  /// A file with a name and bytes that no other one has.
  func newFile(bytes count: Int) throws -> URL {
    try randomFile("in/\(UUID().uuidString).zip", bytes: count)
  }

  /// A file that no other one is like.
  func randomFile(_ name: String, bytes count: Int) throws -> URL {
    let source = try FileHandle(forReadingFrom: URL(filePath: "/dev/urandom"))
    defer { try? source.close() }
    let data = try source.read(upToCount: count) ?? Data()
    let file = url.appending(path: name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: file)
    return file
  }
}

/// How much a clock is behind; may change.
final class Lateness: Sendable {
  private let value: Atomic<Int>

  init(seconds: Int = 0) { value = Atomic(seconds) }

  var seconds: Int {
    get { value.load(ordering: .relaxed) }
    set { value.store(newValue, ordering: .relaxed) }
  }
}

extension S3Settings {
  /// Has files moved in the smallest parts that S3 knows.
  mutating func useSmallParts() {
    transfers.partSize = MultipartUpload.smallestPart
    transfers.multipartThreshold = MultipartUpload.smallestPart
  }
}

extension S3Bucket {
  func download(_ key: String, into folder: TemporaryFolder) async throws -> Data {
    let file = try await download(ObjectKey(key), into: folder.url, limit: .max) { _ in }
    return try Data(contentsOf: file)
  }

  func upload(
    _ file: URL, below subdirectory: String = "", type: String = "application/zip"
  ) async throws -> StoredObject {
    let destination = UploadDestination(subdirectory: subdirectory, contentType: type)
    return try await upload(file, to: destination) { _ in }
  }
}
