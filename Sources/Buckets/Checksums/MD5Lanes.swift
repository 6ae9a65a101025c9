import CChecksums

/// The MD5 of up to four messages of one length, made at once: in little more time than that of one.
struct MD5Lanes {
  static let count = Int(md5_lanes)

  private var messages = md5_messages()
  /// Of what came last, where the messages do not end at a multiple of 64 bytes.
  private var digests: [[UInt8]]?

  /// - Throws: ``BucketError`` `invalidRequest` where the system's cryptography refuses MD5.
  init() throws(BucketError) {
    _ = try Checksum(.md5)
    md5_begin(&messages)
  }

  /// Takes more of each message, those of one after the other `stride` bytes apart.
  ///
  /// - Parameter count: bytes of each; a multiple of 64 but for the last ones.
  mutating func update(with bytes: UnsafeRawBufferPointer, stride: Int, count: Int) {
    precondition(
      digests == nil && bytes.count >= stride * (Self.count - 1) + count, "MD5 goes on past its end"
    )
    if count % 64 == 0 {
      md5_update(&messages, bytes.baseAddress, stride, count)
    } else {
      digests = end(bytes.baseAddress, stride, count)
    }
  }

  /// A value for each message.
  mutating func finish() -> [ChecksumValue] {
    let empty: [UInt8] = []
    return (digests ?? empty.withUnsafeBytes { end($0.baseAddress, 0, 0) })
      .map { ChecksumValue(.md5, $0) }
  }

  private mutating func end(
    _ bytes: UnsafeRawPointer?, _ stride: Int, _ count: Int
  ) -> [[UInt8]] {
    let size = ChecksumAlgorithm.md5.byteCount
    let digests = [UInt8](unsafeUninitializedCapacity: size * Self.count) { digests, written in
      md5_finish(&messages, bytes, stride, count, digests.baseAddress)
      written = size * Self.count
    }
    return (0..<Self.count).map { Array(digests[$0 * size..<($0 + 1) * size]) }
  }
}
