#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Bytes to decode, in a file or in memory, read by position.
///
/// Not `Sendable`: one decoding reads one source, in one thread.
final class ByteSource {
  private enum Storage {
    case memory(UnsafeRawBufferPointer)
    case file(Int32)
  }

  /// The name shown in messages.
  let name: String
  let size: Int
  private let storage: Storage
  /// Where C libraries that read in sequence are.
  var position = 0
  /// Bytes that ``readNext(into:)`` has read so far.
  private(set) var bytesRead = 0

  /// Bytes that stay the caller's and must outlive the source.
  init(borrowing bytes: UnsafeRawBufferPointer, name: String) {
    self.name = name
    size = bytes.count
    storage = .memory(bytes)
  }

  /// A regular file.
  init(path: String, name: String) throws(ImageFileError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw ImageFileError(.unreadable, file: name, "cannot be opened: \(errnoText)")
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw ImageFileError(.unreadable, file: name, "is not a file")
    }
    self.name = name
    size = Int(status.st_size)
    storage = .file(descriptor)
  }

  deinit {
    if case .file(let descriptor) = storage { close(descriptor) }
  }

  /// Copies bytes from `offset` on; fewer than asked for only at the end or after a read error.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
    guard let start = buffer.baseAddress, offset >= 0, offset < size else { return 0 }
    let wanted = min(buffer.count, size - offset)
    switch storage {
    case .memory(let bytes):
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + wanted]))
      return wanted
    case .file(let descriptor):
      var done = 0
      while done < wanted {
        let count = pread(descriptor, start + done, wanted - done, off_t(offset + done))
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { break }
        done += count
      }
      return done
    }
  }

  /// Copies the next bytes for a library that reads in sequence; fewer than asked for at the end.
  func readNext(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let done = read(into: buffer, at: position)
    position += done
    bytesRead += done
    return done
  }

  /// Fills `buffer` completely, in pieces, so that a cancelled job ends soon.
  func readAll(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(ImageFileError) {
    let piece = 8 << 20
    for start in stride(from: 0, to: buffer.count, by: piece) {
      try checkCancellation()
      let part = UnsafeMutableRawBufferPointer(
        rebasing: buffer[start..<min(start + piece, buffer.count)])
      guard read(into: part, at: offset + start) == part.count else {
        throw ImageFileError(
          .damaged, file: name, "ends too early", advice: "it is cut off; send it again")
      }
    }
  }

  /// The error to end with once the task was cancelled; nil before.
  var cancellation: ImageFileError? {
    Task.isCancelled ? .cancelled(name) : nil
  }

  func checkCancellation() throws(ImageFileError) {
    if let cancellation { throw cancellation }
  }

  /// The bytes of a range that may lie partly beyond the end.
  func bytes(at offset: Int, count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      filled = read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
    }
  }

  /// The first bytes.
  func prefix(_ count: Int) -> [UInt8] { bytes(at: 0, count: min(count, size)) }
}
