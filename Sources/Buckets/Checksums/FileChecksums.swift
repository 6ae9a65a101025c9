import Glibc

/// Sums over a range of a file, several in one pass.
enum FileChecksums {
  /// Large enough for the system calls not to matter, small enough to stay in the cache between
  /// algorithms.
  private static let block = 256 << 10

  /// Reads the range; blocks the thread for a time in proportion to it.
  ///
  /// - Returns: a value for each algorithm, in order.
  /// - Throws: ``BucketError`` `temporaryFolder` when the range cannot be read or the file ends
  ///   before it does, `invalidRequest` for a refused algorithm; `CancellationError`.
  static func values(
    of descriptor: CInt, range: Range<Int>, by algorithms: [ChecksumAlgorithm]
  ) throws -> [ChecksumValue] {
    var checksums = try algorithms.map { try Checksum($0) }
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: min(block, max(range.count, 1)), alignment: 64)
    defer { buffer.deallocate() }

    var position = range.lowerBound
    while position < range.upperBound {
      try Task.checkCancellation()
      let wanted = min(buffer.count, range.upperBound - position)
      let count = pread(descriptor, buffer.baseAddress, wanted, off_t(position))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let why = count < 0 ? SystemError.last.text : "it ends at byte \(position)"
        throw BucketError(
          .temporaryFolder,
          "cannot read bytes \(range.lowerBound) to \(range.upperBound) of the file to send: \(why)"
        )
      }
      let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
      for index in checksums.indices { checksums[index].update(with: bytes) }
      position += count
    }
    return checksums.map(\.value)
  }
}
