import CZlib

/// The unpacked bytes of a gzip file, of all its members.
final class GzipStream: ByteStream {
  private let source: ByteSource
  /// zlib remembers where it is.
  private let stream: UnsafeMutablePointer<z_stream>
  private let input: UnsafeMutableRawBufferPointer
  private var isAtEnd = false

  var name: String { source.name }

  static func recognizes(_ start: [UInt8]) -> Bool { start.starts(with: [0x1F, 0x8B]) }

  init(_ source: ByteSource) throws(ImageFileError) {
    self.source = source
    input = .allocate(byteCount: 64 << 10, alignment: 16)
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    guard tfs_gunzip_init(stream) == Z_OK else {
      throw ImageFileError(.unreadable, file: source.name, "cannot be unpacked: no memory")
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
    input.deallocate()
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(ImageFileError) -> Int {
    var done = 0
    while done < buffer.count, !isAtEnd {
      if stream.pointee.avail_in == 0, !refill() {
        throw ImageFileError(
          .damaged, file: name, "ends too early", advice: "it is cut off; send it again")
      }
      let part = min(buffer.count - done, 1 << 30)
      stream.pointee.next_out = (buffer.baseAddress! + done).assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_out = UInt32(part)
      let code = inflate(stream, Z_NO_FLUSH)
      done += part - Int(stream.pointee.avail_out)
      switch code {
      case Z_OK: continue
      case Z_STREAM_END:
        // Members may be empty, and many.
        try checkCancellation()
        isAtEnd = !beginsAnew()
      default:
        throw ImageFileError(
          .damaged, file: name, "is damaged: it cannot be unpacked", advice: "send it again")
      }
    }
    return done
  }

  private func refill() -> Bool {
    let count = source.readNext(into: input)
    stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_in = UInt32(count)
    return count > 0
  }

  /// Whether another member follows; anything else behind the end is none.
  private func beginsAnew() -> Bool {
    guard stream.pointee.avail_in > 0 || refill(), stream.pointee.next_in[0] == 0x1F else {
      return false
    }
    return inflateReset(stream) == Z_OK
  }
}
