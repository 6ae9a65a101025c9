import Glibc

/// Reads files of settings and tokens.
enum SmallFile {
  /// The bytes of a file; nil if it is not there.
  ///
  /// Pipes and devices are not waited for.
  ///
  /// - Throws: ``BucketError`` `credentials` when it cannot be read or is larger than `limit`.
  static func bytes(_ path: String, limit: Int) throws(BucketError) -> [UInt8]? {
    let number = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard number >= 0 else {
      let error = SystemError.last
      if error.number == ENOENT || error.number == ENOTDIR { return nil }
      throw BucketError(.credentials, "\(path) cannot be read: \(error.text)")
    }
    let file = FileDescriptor(number)
    var bytes = [UInt8](repeating: 0, count: limit + 1)
    var count = 0
    while count <= limit {
      let result = bytes.withUnsafeMutableBytes { buffer in
        read(file.number, buffer.baseAddress?.advanced(by: count), limit + 1 - count)
      }
      guard result >= 0 else {
        throw BucketError(.credentials, "\(path) cannot be read: \(SystemError.last.text)")
      }
      guard result > 0 else { return Array(bytes[..<count]) }
      count += result
    }
    throw BucketError(.credentials, "\(path) is larger than \(limit >> 10) KiB")
  }

  /// Whether there is something of that name which the process may know of.
  static func isVisible(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// The text of a file that must be there.
  static func text(_ path: String, limit: Int = 64 << 10) throws(BucketError) -> String {
    guard let bytes = try bytes(path, limit: limit) else {
      throw BucketError(.credentials, "\(path) is not there")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw BucketError(.credentials, "\(path) is not UTF-8 text")
    }
    return text
  }
}
