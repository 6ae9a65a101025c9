import Glibc

/// Sums over ranges of a file, several in one pass.
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

    for position in stride(from: range.lowerBound, to: range.upperBound, by: block) {
      try Task.checkCancellation()
      let piece = slice(buffer, 0, min(block, range.upperBound - position))
      try fill(piece, from: descriptor, at: position, of: range)
      for index in checksums.indices { checksums[index].update(with: .init(piece)) }
    }
    return checksums.map(\.value)
  }

  /// The same for several ranges, for which MD5 takes a third of the time if they are of one length.
  static func values(
    of descriptor: CInt, ranges: [Range<Int>], by algorithms: [ChecksumAlgorithm]
  ) throws -> [[ChecksumValue]] {
    guard let first = ranges.first else { return [] }
    let equal = ranges.prefix(MD5Lanes.count).prefix { $0.count == first.count }
    let done =
      algorithms.contains(.md5) && equal.count > 1
      ? try valuesAtOnce(of: descriptor, equal, by: algorithms)
      : [try values(of: descriptor, range: first, by: algorithms)]
    return try done
      + values(of: descriptor, ranges: Array(ranges[done.count...]), by: algorithms)
  }

  /// - Parameter ranges: as many as there are lanes at most, of one length.
  private static func valuesAtOnce(
    of descriptor: CInt, _ ranges: ArraySlice<Range<Int>>, by algorithms: [ChecksumAlgorithm]
  ) throws -> [[ChecksumValue]] {
    let count = ranges[0].count
    var md5 = try MD5Lanes()
    var others = try ranges.map { _ in try algorithms.map { try Checksum($0) } }
    let block = block / MD5Lanes.count
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: block * MD5Lanes.count, alignment: 64)
    defer { buffer.deallocate() }
    buffer.initializeMemory(as: UInt8.self, repeating: 0)

    for offset in stride(from: 0, to: count, by: block) {
      try Task.checkCancellation()
      let pieceCount = min(block, count - offset)
      for (lane, range) in ranges.enumerated() {
        let piece = slice(buffer, lane * block, pieceCount)
        try fill(piece, from: descriptor, at: range.lowerBound + offset, of: range)
        for (index, algorithm) in algorithms.enumerated() where algorithm != .md5 {
          others[lane][index].update(with: .init(piece))
        }
      }
      md5.update(with: .init(buffer), stride: block, count: pieceCount)
    }
    let digests = md5.finish()
    return others.enumerated().map { lane, checksums in
      checksums.map { $0.algorithm == .md5 ? digests[lane] : $0.value }
    }
  }

  private static func slice(
    _ buffer: UnsafeMutableRawBufferPointer, _ start: Int, _ count: Int
  ) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(rebasing: buffer[start..<start + count])
  }

  private static func fill(
    _ buffer: UnsafeMutableRawBufferPointer, from descriptor: CInt, at position: Int,
    of range: Range<Int>
  ) throws(BucketError) {
    var filled = 0
    while filled < buffer.count {
      let count = pread(
        descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled,
        off_t(position + filled))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let why = count < 0 ? SystemError.last.text : "it ends at byte \(position + filled)"
        throw BucketError(
          .temporaryFolder,
          "cannot read bytes \(range.lowerBound) to \(range.upperBound) of the file to send: \(why)"
        )
      }
      filled += count
    }
  }
}
