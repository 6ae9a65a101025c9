import CCurl

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
    guard !text.utf8.contains(0), let parsed = curl_url() else {
      throw HTTPError(.invalidRequest, reason: "the URL cannot be read")
    }
    defer { curl_url_cleanup(parsed) }
    let result = curl_url_set(parsed, CURLUPART_URL, text, UInt32(CURLU_PATH_AS_IS))
    guard result == CURLUE_OK else {
      throw HTTPError(
        .invalidRequest,
        reason: "the URL cannot be read: \(String(cString: curl_url_strerror(result)))"
      )
    }
    guard let scheme = Self.part(CURLUPART_SCHEME, of: parsed), ["http", "https"].contains(scheme)
    else { throw HTTPError(.invalidRequest, reason: "the URL is neither http nor https") }
    guard let host = Self.part(CURLUPART_HOST, of: parsed).map(Self.plain), !host.isEmpty,
      let port = Self.part(CURLUPART_PORT, of: parsed).flatMap({ Int($0) })
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

  private static func part(_ part: CURLUPart, of url: OpaquePointer) -> String? {
    var text: UnsafeMutablePointer<CChar>?
    guard curl_url_get(url, part, &text, UInt32(CURLU_DEFAULT_PORT)) == CURLUE_OK, let text else {
      return nil
    }
    defer { curl_free(text) }
    return String(cString: text)
  }
}

extension HTTPURL: CustomStringConvertible {
  /// What may stand in messages.
  package var description: String {
    "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)"
  }
}
