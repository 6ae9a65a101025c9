import Foundation
import Glibc
import TestSupport

/// A server that greets as HTTP/2 does, allows any amount of data, and then never reads a byte.
final class FrozenPeer: Sendable {
  let port: Int
  private let listener: Int32

  /// Initial window and connection window as large as they can be.
  private static let greeting: [UInt8] = [
    0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff,
    0, 0, 4, 8, 0, 0, 0, 0, 0, 0x7f, 0xff, 0, 0,
  ]

  init() throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isListening = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(listener, address, length) == 0 && listen(listener, 16) == 0
          && getsockname(listener, address, &length) == 0
      }
    }
    guard isListening else { throw TestSupportError("cannot listen: \(errno)") }
    self.listener = listener
    port = Int(UInt16(bigEndian: address.sin_port))
    // A thread, since accepting blocks; it ends when the listener is shut down.
    let descriptor = listener
    let thread = Thread { Self.serve(descriptor) }
    thread.start()
  }

  private static func serve(_ listener: Int32) {
    var connections: [Int32] = []
    while true {
      let connection = accept(listener, nil, nil)
      guard connection >= 0 else { break }
      connections.append(connection)
      _ = greeting.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, 0) }
    }
    for connection in connections { close(connection) }
    close(listener)
  }

  /// Closes every connection.
  func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

  deinit { stop() }
}
