#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The system's text for the last failed call.
var errnoText: String { String(cString: strerror(errno)) }

/// Writes all bytes; false leaves the reason in `errno`.
func writeFully(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
  guard let start = bytes.baseAddress else { return true }
  var done = 0
  while done < bytes.count {
    let count = write(descriptor, start + done, bytes.count - done)
    if count < 0 && errno == EINTR { continue }
    guard count > 0 else { return false }
    done += count
  }
  return true
}
