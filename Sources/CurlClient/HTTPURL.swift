/// A URL of HTTP or HTTPS, read by the parser that also makes the connection, so that what is judged
/// is what is called.
package struct HTTPURL: Sendable, Hashable {
  private static let lengthLimit = 8192

  /// As it was given; it may hold secrets.
  package let text: String
  /// `http` or `https`.
  package let scheme: String
  /// In lower case, without the brackets of IPv6 and without a last dot.
  package let host: String
  package let port: Int

  /// - Throws: ``HTTPError`` with the code `invalidRequest`; its text does not repeat the URL.
  package init(_ text: String) throws(HTTPError) {
    guard text.utf8.count <= Self.lengthLimit else {
      throw HTTPError(.invalidRequest, reason: "the URL is longer than \(Self.lengthLimit) bytes")
    }
    let parsed = try ParsedURL(text)
    guard let scheme = parsed[.scheme], ["http", "https"].contains(scheme) else {
      throw HTTPError(.invalidRequest, reason: "the URL is neither http nor https")
    }
    guard let host = parsed[.host].map(Self.plain), !host.isEmpty,
      let port = parsed[.port].flatMap({ Int($0) })
    else { throw HTTPError(.invalidRequest, reason: "the URL has no host") }
    self.text = text
    self.scheme = scheme
    self.host = host
    self.port = port
  }

  /// A host as it is compared.
  static func plain(_ host: String) -> String {
    var host = host.lowercased()
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    if host.hasSuffix(".") { host.removeLast() }
    return host
  }
}

extension HTTPURL: CustomStringConvertible {
  /// What may stand in messages.
  package var description: String { "\(scheme)://\(bracketedHost):\(port)" }

  var bracketedHost: String { host.contains(":") ? "[\(host)]" : host }
}
