extension HTTPURL {
  /// As it is sent; at least `/`.
  package var path: String { parsed?[.path] ?? "/" }

  /// As it is sent, without the question mark; nil where there is none or nothing in it.
  package var query: String? { parsed?[.query].flatMap { $0.isEmpty ? nil : $0 } }

  /// User name, colon and password of the URL, as they are meant; nil where there is neither.
  ///
  /// - Throws: ``HTTPError`` `invalidRequest` for control characters in them.
  package var userInfo: [UInt8]? {
    get throws(HTTPError) {
      guard let parsed, parsed[.user] != nil || parsed[.password] != nil else { return nil }
      let parts: [[UInt8]?] = [ParsedURL.Part.user, .password].map { part in
        parsed[part] == nil ? [] : parsed.decoded(part)
      }
      guard let user = parts[0], let password = parts[1] else {
        throw HTTPError(
          .invalidRequest, reason: "the URL's user name or password has control characters")
      }
      return user + [UInt8(ascii: ":")] + password
    }
  }

  /// Scheme, host, port and path, without what may be secret: user name, query, fragment.
  package var publicText: String { origin + path }

  /// Whether a request to one may tell what is meant for the other.
  package func isSameServer(as other: HTTPURL) -> Bool {
    scheme == other.scheme && host == other.host && port == other.port
  }

  /// The same server with another path, and without user name and fragment.
  ///
  /// - Parameters:
  ///   - path: as it is to be sent.
  ///   - query: without the question mark.
  /// - Throws: ``HTTPError`` `invalidRequest`, such as for one that is too long.
  package func with(path: String, query: String?) throws(HTTPError) -> HTTPURL {
    try HTTPURL(origin + path + (query.map { "?" + $0 } ?? ""))
  }

  /// What a field of this URL's response, such as `Location`, refers to.
  ///
  /// - Throws: ``HTTPError`` `invalidRequest`; its text does not repeat the reference.
  package func resolving(_ reference: String) throws(HTTPError) -> HTTPURL {
    let parsed = try ParsedURL(text)
    try parsed.follow(reference)
    guard let whole = parsed[.whole], whole.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
      throw HTTPError(.invalidRequest, reason: "the URL has characters that cannot be sent")
    }
    return try HTTPURL(whole)
  }

  private var origin: String {
    let isDefault = port == (scheme == "https" ? 443 : 80)
    return "\(scheme)://\(bracketedHost)" + (isDefault ? "" : ":\(port)")
  }

  /// Never nil: it has been read before.
  private var parsed: ParsedURL? { try? ParsedURL(text) }
}
