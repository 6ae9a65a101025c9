import CZlib
import Glibc

/// Unpacks gzip from file to file.
enum Gunzip {
  private static let blockSize = 256 << 10

  /// - Parameters:
  ///   - limit: bytes that may come out.
  /// - Returns: the bytes that came out.
  /// - Throws: ``BucketError``; `CancellationError`.
  static func unpack(
    _ source: PartialFile, to target: PartialFile, key: ObjectKey, limit: Int
  ) throws -> Int {
    var stream = z_stream()
    guard tfs_gunzip_init(&stream) == Z_OK else {
      throw BucketError(.temporaryFolder, key: key.text, "no memory to unpack \(key)")
    }
    defer { inflateEnd(&stream) }
    let input = UnsafeMutableRawBufferPointer.allocate(byteCount: blockSize, alignment: 64)
    let output = UnsafeMutableRawBufferPointer.allocate(byteCount: blockSize, alignment: 64)
    defer {
      input.deallocate()
      output.deallocate()
    }
    var (read, written) = (0, 0)
    // Between two members, of which there may be several in a row.
    var isAtBoundary = false
    while true {
      try Task.checkCancellation()
      if stream.avail_in == 0 {
        let count = pread(source.descriptor.number, input.baseAddress, blockSize, off_t(read))
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { throw source.failure(.last) }
        guard count > 0 else {
          guard isAtBoundary else { throw damaged(key) }
          return written
        }
        read += count
        stream.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.avail_in = UInt32(count)
      }
      if isAtBoundary {
        guard inflateReset(&stream) == Z_OK else { throw damaged(key) }
        isAtBoundary = false
      }
      stream.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
      stream.avail_out = UInt32(blockSize)
      let result = inflate(&stream, Z_NO_FLUSH)
      guard result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR else {
        throw damaged(key)
      }
      let count = blockSize - Int(stream.avail_out)
      guard written + count <= limit else { throw BucketError.tooLarge(key, limit: limit) }
      try target.write(.init(rebasing: output[..<count]), at: written)
      written += count
      isAtBoundary = result == Z_STREAM_END
    }
  }

  private static func damaged(_ key: ObjectKey) -> BucketError {
    BucketError(
      .invalidRequest, key: key.text,
      "\(key) is stored with the encoding gzip but is not gzip; upload it again")
  }
}
