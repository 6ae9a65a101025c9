import Glibc

extension AddressGuard {
  /// Looks a name up, to tell early of one that no connection will be made to. It blocks for as long
  /// as the system's resolver likes.
  ///
  /// - Returns: an address that may not be connected to, if that is so of all that the name has; nil
  ///   also for a name that is not known.
  package func refusedAddress(host: String, port: Int) -> IPAddress? {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, nil, &hints, &list) == 0 else { return nil }
    defer { freeaddrinfo(list) }
    var refused: IPAddress?
    var next = list
    while let entry = next {
      if let address = entry.pointee.ai_addr.flatMap({ IPAddress($0) }) {
        if allows(address, host: host, port: port) { return nil }
        refused = refused ?? address
      }
      next = entry.pointee.ai_next
    }
    return refused
  }
}
