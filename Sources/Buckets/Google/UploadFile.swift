import Executors
import Glibc

import struct FoundationEssentials.URL

/// A local file that is being uploaded, with its sum.
struct UploadFile: Sendable {
  let descriptor: FileDescriptor
  let size: Int
  let checksum: ChecksumValue

  /// Opens and reads the file, off the shared threads.
  ///
  /// - Throws: ``BucketError`` `temporaryFolder`; `CancellationError`.
  static func open(_ file: URL, for key: ObjectKey) async throws -> UploadFile {
    let executor = ThreadExecutor(label: "bucket")
    return try await withTaskExecutorPreference(executor) {
      let number = Glibc.open(file.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
      guard number >= 0 else { throw failure(file, key, SystemError.last.text) }
      let descriptor = FileDescriptor(number)
      var status = stat()
      guard fstat(number, &status) == 0 else { throw failure(file, key, SystemError.last.text) }
      guard status.st_mode & S_IFMT == S_IFREG else { throw failure(file, key, "it is no file") }
      let size = Int(status.st_size)
      let sums = try FileChecksums.values(of: number, range: 0..<size, by: [.crc32c])
      return UploadFile(descriptor: descriptor, size: size, checksum: sums[0])
    }
  }

  private static func failure(_ file: URL, _ key: ObjectKey, _ why: String) -> BucketError {
    BucketError(.temporaryFolder, key: key.text, "cannot read \(file.lastPathComponent): \(why)")
  }
}
