/// What a server says it is when asked by `ROLE`.
enum ServerRole: Sendable, Hashable {
  case primary
  case replica(of: RedisEndpoint?)
  /// A Sentinel, with the names of the primaries it watches.
  case sentinel(sets: [String])
  /// It does not say: a proxy, or the command is renamed or not allowed to the user.
  case unknown

  init(_ reply: RedisValue?) {
    let parts = reply?.array ?? []
    switch parts.first {
    case "master": self = .primary
    case "slave":
      let host = parts.dropFirst().first?.string
      self = .replica(of: RedisEndpoint(announced: host, parts.dropFirst(2).first?.integer))
    case "sentinel":
      let names = parts.dropFirst().first?.array ?? []
      self = .sentinel(sets: names.compactMap(\.string))
    default: self = .unknown
    }
  }
}

extension RedisEndpoint {
  /// An address that a server told; nil when it cannot be one.
  init?(announced host: String?, _ port: Int?) {
    guard let host, !host.isEmpty, let port, (1...65535).contains(port) else { return nil }
    self.init(host: host, port: port)
  }
}
