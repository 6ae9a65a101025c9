import Foundation
import Glibc
import Synchronization
import TestSupport

/// A server that greets as HTTP/2 does, allows any amount of data, and then never reads a byte.
final class FrozenPeer: Sendable {
  let port: Int
  private let listener: Int32
  private let connections = Connections()

  private final class Connections: Sendable {
    let open = Mutex<[Int32]>([])
  }

  /// Initial window and connection window as large as they can be.
  private static let greeting: [UInt8] = [
    0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff,
    0, 0, 4, 8, 0, 0, 0, 0, 0, 0x7f, 0xff, 0, 0,
  ]

  init() throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    // The system's usual limit; the default takes no more than ``hasBlockedWrite`` asks for.
    var bytes: Int32 = 200 << 10
    setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
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
    let thread = Thread { [connections] in Self.serve(descriptor, connections) }
    thread.start()
  }

  private static func serve(_ listener: Int32, _ connections: Connections) {
    while true {
      let connection = accept(listener, nil, nil)
      guard connection >= 0 else { break }
      connections.open.withLock { $0.append(connection) }
      _ = greeting.withUnsafeBytes {
        send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
    }
    connections.open.withLock { open in
      for connection in open { close(connection) }
      open = []
    }
    close(listener)
  }

  /// Whether a client is stuck in writing a large message.
  ///
  /// More has come than HTTP/2 lets anyone send before they have read the greeting, so the client has.
  /// gRPC then hands a whole message to the socket in one write. One that is larger than the buffers
  /// of both sockets stays in that write for good.
  var hasBlockedWrite: Bool {
    connections.open.withLock { open in
      open.contains { connection in
        var unread: Int32 = 0
        return ioctl(connection, UInt(FIONREAD), &unread) == 0 && unread > 70_000
      }
    }
  }

  /// Closes every connection.
  func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

  deinit { stop() }
}
