extension IPAddress {
  /// Whether it is one of the public internet: not of this machine, of a private network, of a cloud's
  /// metadata, of many receivers or of documentation.
  package var isPublic: Bool {
    if bytes.count == 4 { return !Self.reservedFour.contains { $0.contains(self) } }
    // What translates IPv6 to IPv4 leads to the address within.
    if Self.translated.contains(self) { return IPAddress(bytes: Array(bytes[12...])).isPublic }
    if Self.sixToFour.contains(self) { return IPAddress(bytes: Array(bytes[2..<6])).isPublic }
    return Self.globalSix.contains(self) && !Self.reservedSix.contains { $0.contains(self) }
  }

  private static func range(_ text: String) -> IPRange {
    guard let range = IPRange(text) else { preconditionFailure("\(text) is not a range") }
    return range
  }

  /// IANA's special-purpose addresses, and one that Azure serves metadata at.
  private static let reservedFour = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16", "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
  ].map(range)

  /// All that is given out; loopback, link-local, unique local and multicast are not in it.
  private static let globalSix = range("2000::/3")
  private static let reservedSix = ["2001::/23", "2001:db8::/32", "3fff::/20"].map(range)
  private static let translated = range("64:ff9b::/96")
  private static let sixToFour = range("2002::/16")
}
