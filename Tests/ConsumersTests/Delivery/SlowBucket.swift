import Buckets
import FoundationEssentials
import TestSupport

/// A bucket whose transfers make no end, but go on, until the test lets them.
struct SlowBucket: Bucket {
  let base: any Bucket
  let slowsDownloads: Bool
  let slowsUploads: Bool
  /// Whether transfers may end.
  let isReleased = Watched(false)
  /// How many parts of files were moved.
  let parts = Watched(0)

  private func dawdle(_ progress: TransferProgress) async throws {
    var bytes = 0
    while await !isReleased.value {
      try await Task.sleep(for: .milliseconds(10))
      bytes += 1
      progress(bytes)
      await parts.update { $0 += 1 }
    }
  }

  func download(
    _ key: ObjectKey, into folder: URL, limit: Int, progress: @escaping TransferProgress
  ) async throws -> URL {
    if slowsDownloads { try await dawdle(progress) }
    return try await base.download(key, into: folder, limit: limit, progress: progress)
  }

  func upload(
    _ file: URL, to destination: UploadDestination, progress: @escaping TransferProgress
  ) async throws -> StoredObject {
    if slowsUploads { try await dawdle(progress) }
    return try await base.upload(file, to: destination, progress: progress)
  }

  func delete(_ key: ObjectKey) async throws { try await base.delete(key) }
  func url(for key: ObjectKey) -> String { base.url(for: key) }
  func key(named name: String) throws(BucketError) -> ObjectKey { try base.key(named: name) }
  func check() async throws { try await base.check() }
  func close() async { await base.close() }
}
