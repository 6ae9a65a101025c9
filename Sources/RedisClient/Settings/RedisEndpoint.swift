/// Where a Redis or Sentinel process listens.
public struct RedisEndpoint: Sendable, Hashable, CustomStringConvertible {
  public var host: String
  public var port: Int

  public init(host: String, port: Int = 6379) {
    self.host = host
    self.port = port
  }

  public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// Reads `host[:port]`, several separated by commas; IPv6 addresses with a port in brackets.
  ///
  /// - Throws: ``RedisError`` naming the part that cannot be read.
  public static func list(_ text: String, defaultPort: Int) throws(RedisError) -> [RedisEndpoint] {
    var endpoints: [RedisEndpoint] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      endpoints.append(try RedisEndpoint(parsing: part, defaultPort: defaultPort))
    }
    return endpoints
  }

  private init(parsing part: Substring, defaultPort: Int) throws(RedisError) {
    let text = part.drop { $0.isWhitespace }.trimmingSuffix { $0.isWhitespace }
    func problem(_ what: String) -> RedisError {
      RedisError(.invalidConfiguration, reason: "\"\(text)\" \(what); expected host or host:port")
    }
    var host = text
    var port: Substring?
    if text.first == "[", let end = text.firstIndex(of: "]") {
      host = text[text.index(after: text.startIndex)..<end]
      let rest = text[text.index(after: end)...]
      guard rest.isEmpty || rest.first == ":" else { throw problem("is not an address") }
      port = rest.isEmpty ? nil : rest.dropFirst()
    } else if text.count(where: { $0 == ":" }) == 1, let colon = text.firstIndex(of: ":") {
      host = text[..<colon]
      port = text[text.index(after: colon)...]
    }
    guard !host.isEmpty, !host.contains(where: { $0.isWhitespace || "/[]\0".contains($0) })
    else { throw problem("names no host") }
    let number = port.map { Int($0) } ?? defaultPort
    guard let number, (1...65535).contains(number) else { throw problem("has no usable port") }
    self.init(host: String(host), port: number)
  }
}

extension Substring {
  fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> Substring {
    var end = endIndex
    while end > startIndex, predicate(self[index(before: end)]) { end = index(before: end) }
    return self[..<end]
  }
}
