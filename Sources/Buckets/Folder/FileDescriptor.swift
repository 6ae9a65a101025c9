import Glibc

/// An open file or folder, closed when the last owner lets go of it.
final class FileDescriptor: @unchecked Sendable {  // the number never changes
  let number: CInt

  init(_ number: CInt) { self.number = number }

  deinit { _ = close(number) }
}

/// The error number a system call left.
struct SystemError: Error, Equatable, CustomStringConvertible {
  let number: CInt

  static var last: SystemError { SystemError(number: errno) }

  var text: String { String(cString: strerror(number)) }

  var description: String { text }
}
