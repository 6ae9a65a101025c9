import Foundation
import Retrying
import TestSupport

@testable import Buckets

/// A bucket of a fake store, with parts so small that a file of some hundred kilobytes has many.
final class GoogleRig: Sendable {
  static let chunk = 256 << 10

  let fake: GoogleFake
  let work: TemporaryFolder
  let log = RecordedLog()
  let clock = JumpingClock()

  init(tokens: Set<String>? = nil) async throws {
    fake = try await GoogleFake(tokens: tokens)
    work = try TemporaryFolder()
  }

  var settings: GoogleSettings {
    var settings = GoogleSettings(bucket: fake.bucket)
    settings.emulator = fake.url
    settings.singleRequestLimit = 100_000
    settings.transfers.partSize = Self.chunk
    settings.transfers.multipartThreshold = 300_000
    settings.transfers.retryDeadline = .seconds(600)
    return settings
  }

  func bucket(_ change: (inout GoogleSettings) -> Void = { _ in }) throws -> GoogleBucket {
    var settings = settings
    change(&settings)
    return try GoogleBucket(
      settings, GoogleSurroundings(clock: AnyClock(clock)), logger: log.logger)
  }

  /// Bytes that repeat nowhere.
  static func bytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
      for index in 0..<count {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        buffer[index] = UInt8(truncatingIfNeeded: state)
      }
      initialized = count
    }
  }

  func file(_ bytes: [UInt8], named name: String = "result.zip") throws -> URL {
    let file = work.url.appending(path: name)
    try Data(bytes).write(to: file)
    return file
  }

  func upload(
    _ bytes: [UInt8], named name: String = "result.zip",
    to destination: UploadDestination = UploadDestination(contentType: "application/zip"),
    _ bucket: GoogleBucket
  ) async throws -> StoredObject {
    try await bucket.upload(file(bytes, named: name), to: destination) { _ in }
  }

  func download(
    _ key: String, limit: Int = .max, _ bucket: GoogleBucket
  ) async throws -> [UInt8] {
    let folder = work.url.appending(path: "downloads", directoryHint: .isDirectory)
    let file = try await bucket.download(ObjectKey(key), into: folder, limit: limit) { _ in }
    defer { try? FileManager.default.removeItem(at: folder) }
    return Array(try Data(contentsOf: file))
  }

  /// Files that downloads have left, whatever they are called.
  var leftovers: [String] {
    get throws { try work.files.filter { $0.hasPrefix("downloads/") } }
  }
}
