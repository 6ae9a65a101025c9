import Foundation
import Logging
import TestSupport

@testable import Buckets

extension S3Server {
  /// A bucket of this server.
  ///
  /// - Parameters:
  ///   - endpoint: of a proxy before it.
  ///   - secondsLate: what the client's clock is behind.
  func open(
    through endpoint: String? = nil, secret: String? = nil, secondsLate: Int = 0,
    _ change: (inout S3Settings) -> Void = { _ in }
  ) throws -> S3Bucket {
    var settings = S3Settings(bucket: bucket)
    settings.endpoint = endpoint ?? self.endpoint
    settings.transfers.maximumBackoff = .milliseconds(20)
    settings.transfers.authorityFile = certificates?.authorityFile
    change(&settings)
    let credential = try AWSCredential(
      accessKeyID: accessKeyID, secretAccessKey: Secret(secret ?? secretAccessKey))
    return try S3Bucket(
      settings, credentials: FixedS3Credential(credential),
      now: { WallClock.now() - secondsLate })
  }

  /// The uploads that are under way, as XML.
  func uploads() async throws -> String {
    try await curl("GET", "\(bucket)?uploads=").body
  }
}

extension TemporaryFolder {
  /// A file that no other one is like.
  func randomFile(_ name: String, bytes count: Int) throws -> URL {
    var generator = SystemRandomNumberGenerator()
    var data = Data(capacity: count + 8)
    while data.count < count {
      withUnsafeBytes(of: generator.next()) { data.append(contentsOf: $0) }
    }
    let file = url.appending(path: name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.prefix(count).write(to: file)
    return file
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
