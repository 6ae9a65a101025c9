import Glibc

/// A new file that is written from start to end.
final class OutputFile {
  let path: String
  private let descriptor: Int32

  /// - Throws: ``KioskError`` when there is something already, or the folder takes no files.
  init(_ path: String) throws(KioskError) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    if descriptor < 0 { throw failure() }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  func write(_ bytes: [UInt8]) throws(KioskError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure() }
      rest = rest.dropFirst(count)
    }
  }

  private func failure() -> KioskError {
    KioskError(.jobFailed, "cannot write \(path.printable): \(String(cString: strerror(errno)))")
  }
}
