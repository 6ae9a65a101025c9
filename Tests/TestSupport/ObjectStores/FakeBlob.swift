import Foundation
import Glibc

/// Bytes of an object, in a file without a name: objects may be larger than memory.
public final class FakeBlob: Sendable {
  private let descriptor: CInt

  public init() throws {
    let folder = FileManager.default.temporaryDirectory
    let name = folder.appendingPathComponent("blob-\(UUID().uuidString)").path
    descriptor = open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw TestSupportError("cannot make a file: \(errno)") }
    unlink(name)
  }

  public convenience init(_ bytes: [UInt8]) throws {
    try self.init()
    bytes.withUnsafeBytes { write($0, at: 0) }
  }

  deinit { close(descriptor) }

  public var count: Int { Int(lseek(descriptor, 0, SEEK_END)) }

  /// A test cannot go on without its disk.
  public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    var written = 0
    while written < bytes.count, let start = bytes.baseAddress {
      let count = pwrite(
        descriptor, start + written, bytes.count - written, off_t(offset + written))
      precondition(count > 0, "the disk of the test is full")
      written += count
    }
  }

  public func read(_ range: Range<Int>) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
      while count < range.count, let start = buffer.baseAddress {
        let read = pread(
          descriptor, start + count, range.count - count, off_t(range.lowerBound + count))
        guard read > 0 else { return }
        count += read
      }
    }
  }

  public func truncate(to size: Int) { ftruncate(descriptor, off_t(size)) }

  public var bytes: [UInt8] { read(0..<count) }

  public var checksum: CRC32C {
    var checksum = CRC32C()
    for start in stride(from: 0, to: count, by: 1 << 20) {
      read(start..<min(start + 1 << 20, count)).withUnsafeBytes { checksum.update($0) }
    }
    return checksum
  }
}
