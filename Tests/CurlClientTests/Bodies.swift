import CurlClient
import TestSupport

/// A byte of a body that no one has to keep.
private func patternByte(_ offset: Int64) -> UInt8 { UInt8(truncatingIfNeeded: offset &* 31 >> 3) }

/// A body that is computed.
struct Pattern: HTTPBodySource {
  let length: Int64?

  func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(Int64(buffer.count), (length ?? 0) - offset)
    for index in 0..<max(count, 0) { buffer[Int(index)] = patternByte(offset + index) }
    return Int(max(count, 0))
  }
}

/// Compares a body with ``Pattern``.
final class Comparing: HTTPBodySink, @unchecked Sendable {
  // Written by one transfer, read after its end.
  private(set) var count = 0
  private(set) var isSame = true
  /// Bytes of the largest piece.
  private(set) var largest = 0

  func begin(_ head: HTTPHead) {}

  func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
    for (index, byte) in bytes.enumerated() where byte != patternByte(Int64(count + index)) {
      isSame = false
    }
    count += bytes.count
    largest = max(largest, bytes.count)
    return true
  }
}

struct Unreadable: HTTPBodySource {
  var length: Int64? { 10 }

  func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    throw TestSupportError("disk is on fire")
  }
}
