import CLinux
import Glibc

/// Copies the rest of one open file to another, in the kernel where it can.
enum FileCopy {
  private static let block = 8 << 20

  /// - Parameters:
  ///   - limit: bytes; reading one more is an error.
  ///   - progress: called after each block with the bytes copied so far.
  /// - Returns: the bytes copied.
  static func copy(
    from source: FileDescriptor, to target: FileDescriptor, limit: Int,
    progress: TransferProgress
  ) throws -> Int {
    var copied = 0
    var buffer: UnsafeMutableRawBufferPointer?
    defer { buffer?.deallocate() }
    while true {
      try Task.checkCancellation()
      let count: Int
      if let buffer {
        count = try copyBlock(from: source, to: target, through: buffer)
      } else {
        count = linux_copy_file_range(source.number, target.number, UInt(block))
        if count < 0, errno == EINTR { continue }
        // Not on this pair of file systems: read and write from here on.
        if count < 0, [EXDEV, ENOSYS, EINVAL, EOPNOTSUPP, EPERM].contains(errno) {
          buffer = .allocate(byteCount: block, alignment: 4096)
          continue
        }
        if count < 0 { throw SystemError.last }
      }
      if count == 0 { return copied }
      copied += count
      guard copied <= limit else { throw CopyLimitExceeded() }
      progress(copied)
    }
  }

  private static func copyBlock(
    from source: FileDescriptor, to target: FileDescriptor,
    through buffer: UnsafeMutableRawBufferPointer
  ) throws(SystemError) -> Int {
    var count = read(source.number, buffer.baseAddress, buffer.count)
    while count < 0, errno == EINTR {
      count = read(source.number, buffer.baseAddress, buffer.count)
    }
    guard count >= 0 else { throw .last }
    var written = 0
    while written < count {
      let result = write(target.number, buffer.baseAddress! + written, count - written)
      if result < 0, errno == EINTR { continue }
      guard result >= 0 else { throw .last }
      written += result
    }
    return count
  }
}

/// The source holds more bytes than the caller accepts.
struct CopyLimitExceeded: Error {}
