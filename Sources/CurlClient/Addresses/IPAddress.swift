import Glibc

/// An address of IPv4 or IPv6. One of IPv4 in the form of IPv6 (`::ffff:10.0.0.1`) is one of IPv4.
package struct IPAddress: Sendable, Hashable {
  /// 4 or 16.
  let bytes: [UInt8]

  static let unspecified = IPAddress(bytes: [0, 0, 0, 0])

  private static let mappedPrefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255]

  init(bytes: [UInt8]) {
    let isMapped = bytes.count == 16 && bytes.starts(with: Self.mappedPrefix)
    self.bytes = isMapped ? Array(bytes[12...]) : bytes
  }

  /// Reads `10.0.0.1` and `fd00::1`.
  package init?(_ text: String) {
    var four = in_addr()
    var six = in6_addr()
    if inet_pton(AF_INET, text, &four) == 1 {
      self.init(bytes: withUnsafeBytes(of: four) { Array($0) })
    } else if inet_pton(AF_INET6, text, &six) == 1 {
      self.init(bytes: withUnsafeBytes(of: six) { Array($0) })
    } else {
      return nil
    }
  }

  /// Nil for other families.
  init?(_ address: UnsafePointer<sockaddr>) {
    let raw = UnsafeRawPointer(address)
    switch Int32(address.pointee.sa_family) {
    case AF_INET:
      let four = raw.loadUnaligned(as: sockaddr_in.self).sin_addr
      self.init(bytes: withUnsafeBytes(of: four) { Array($0) })
    case AF_INET6:
      let six = raw.loadUnaligned(as: sockaddr_in6.self).sin6_addr
      self.init(bytes: withUnsafeBytes(of: six) { Array($0) })
    default: return nil
    }
  }
}

extension IPAddress: CustomStringConvertible {
  package var description: String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let family = bytes.count == 4 ? AF_INET : AF_INET6
    guard inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return "?" }
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

/// Addresses that begin with the same bits: `10.0.0.0/8`.
package struct IPRange: Sendable, Hashable {
  private let base: IPAddress
  private let length: Int

  /// Reads `10.0.0.0/8`, `fd00::/8` and single addresses.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, let base = IPAddress(String(parts[0])) else { return nil }
    // `::ffff:0:0/96` would be read as IPv4 here, with a length that is not.
    guard parts.count == 1 || (parts[0].contains(":") == (base.bytes.count == 16)) else {
      return nil
    }
    let bits = base.bytes.count * 8
    guard let length = parts.count == 2 ? Int(parts[1]) : bits, (0...bits).contains(length) else {
      return nil
    }
    self.base = base
    self.length = length
  }

  package func contains(_ address: IPAddress) -> Bool {
    guard address.bytes.count == base.bytes.count else { return false }
    var left = length
    for (one, other) in zip(base.bytes, address.bytes) {
      if left <= 0 { return true }
      let mask: UInt8 = left >= 8 ? 255 : ~(255 >> left)
      if (one ^ other) & mask != 0 { return false }
      left -= 8
    }
    return true
  }
}
