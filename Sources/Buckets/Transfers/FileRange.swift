import CurlClient
import Glibc

/// Bytes of an open file as the body of a request.
struct FileRange: HTTPBodySource {
  private let file: FileDescriptor
  private let start: Int
  private let count: Int
  private let meter: TransferMeter?

  /// - Parameters:
  ///   - range: bytes, all of which the file must have.
  ///   - meter: told how far it was read.
  init(_ file: FileDescriptor, _ range: Range<Int>, meter: TransferMeter? = nil) {
    self.file = file
    start = range.lowerBound
    count = range.count
    self.meter = meter
  }

  var length: Int64? { Int64(count) }

  func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let offset = Int(offset)
    let wanted = min(buffer.count, count - offset)
    guard wanted > 0 else { return 0 }
    var read = pread(file.number, buffer.baseAddress, wanted, off_t(start + offset))
    while read < 0, errno == EINTR {
      read = pread(file.number, buffer.baseAddress, wanted, off_t(start + offset))
    }
    guard read >= 0 else { throw SystemError.last }
    guard read > 0 else { throw FileShrank() }
    meter?.reached(offset + read)
    return read
  }
}

/// A file has become shorter while it was sent.
struct FileShrank: Error, CustomStringConvertible {
  var description: String { "the file has become shorter meanwhile" }
}
