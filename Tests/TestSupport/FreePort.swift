import Glibc

/// A TCP port of this host that nobody listens on. Somebody may take it before you do: be ready to
/// ask again.
public func freePort() throws -> Int { try RefusingPort().number }

/// A TCP port of 127.0.0.1 at which connections are refused as long as this object lives: it is taken,
/// and nobody listens.
public final class RefusingPort: Sendable {
  public let number: Int
  private let descriptor: CInt

  public init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw TestSupportError("cannot open a socket: \(errno)") }
    do {
      number = try bindToFreePort(descriptor)
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit { close(descriptor) }
}

private func bindToFreePort(_ descriptor: CInt) throws -> Int {
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
  var length = socklen_t(MemoryLayout<sockaddr_in>.size)
  let result = withUnsafeMutablePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
      bind(descriptor, address, length) == 0 ? getsockname(descriptor, address, &length) : -1
    }
  }
  guard result == 0 else { throw TestSupportError("cannot find a free port: \(errno)") }
  return Int(UInt16(bigEndian: address.sin_port))
}

/// What went wrong in a test's surroundings.
public struct TestSupportError: Error, CustomStringConvertible {
  public let description: String

  public init(_ description: String) {
    self.description = description
  }
}
