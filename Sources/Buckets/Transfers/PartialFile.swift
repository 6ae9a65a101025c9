import Glibc

import struct FoundationEssentials.URL

/// A file that is being downloaded. It gets its name once it is whole and checked, and is removed if
/// that does not happen.
final class PartialFile: Sendable {
  /// What must stay free on the disk besides the file.
  private static let diskMargin = 256 << 20

  let descriptor: FileDescriptor
  private let key: ObjectKey
  private let folder: ConfinedFolder
  private let url: URL
  private let temporaryName: String
  private let name: String

  /// - Parameter folder: made if missing, in one that exists; the key's folders are made in it.
  /// - Throws: ``BucketError`` `temporaryFolder`.
  init(for key: ObjectKey, below folder: URL) throws(BucketError) {
    let (subfolder, name) = key.localPath.splitAtLastSlash
    self.key = key
    self.name = name
    // Not made of the name, which may be as long as names can be.
    temporaryName = ".part-" + String(UInt64.random(in: .min ... .max), radix: 16)
    url = folder.appending(path: key.localPath)
    do throws(SystemError) {
      if mkdir(folder.path, 0o700) != 0, errno != EEXIST { throw .last }
      self.folder = try ConfinedFolder(path: folder.path).folder(at: subfolder)
      descriptor = try self.folder.open(
        temporaryName, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
    } catch { throw Self.failure(error, key) }
  }

  deinit { discard() }

  /// Removes the file. Done at the end of a download's use of it rather than of the object's life,
  /// which a connection that is being broken off may prolong.
  func discard() {
    // A file that got its name is not here any more; one that cannot be removed is left to the
    // folder's own end.
    try? folder.remove(temporaryName)
  }

  /// - Throws: ``BucketError`` `temporaryFolder` when the disk has no room for a file of this size.
  func checkRoom(for size: Int) throws(BucketError) {
    do throws(SystemError) {
      guard try folder.freeBytes() > size + size / 10 + Self.diskMargin else {
        throw SystemError(number: ENOSPC)
      }
    } catch { throw Self.failure(error, key) }
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(BucketError) {
    var written = 0
    while written < bytes.count {
      let count = pwrite(
        descriptor.number, bytes.baseAddress! + written, bytes.count - written,
        off_t(offset + written))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Self.failure(.last, key) }
      written += count
    }
  }

  func size() throws(BucketError) -> Int {
    var status = stat()
    guard fstat(descriptor.number, &status) == 0 else { throw Self.failure(.last, key) }
    return Int(status.st_size)
  }

  func empty() throws(BucketError) {
    guard ftruncate(descriptor.number, 0) == 0 else { throw Self.failure(.last, key) }
  }

  /// Gives the file its name.
  func commit() throws(BucketError) -> URL {
    do throws(SystemError) { try folder.rename(temporaryName, to: name) } catch {
      throw Self.failure(error, key)
    }
    return url
  }

  func failure(_ error: SystemError) -> BucketError { Self.failure(error, key) }

  private static func failure(_ error: SystemError, _ key: ObjectKey) -> BucketError {
    BucketError(
      .temporaryFolder, key: key.text,
      "cannot copy \(key) to the disk for temporary files: \(error.text)", isRetryable: true)
  }
}
