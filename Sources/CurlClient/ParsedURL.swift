import CCurl
import Glibc

/// libcurl's reading of a URL.
final class ParsedURL {
  enum Part {
    case scheme, user, password, host, port, path, query, whole

    fileprivate var code: CURLUPart {
      switch self {
      case .scheme: CURLUPART_SCHEME
      case .user: CURLUPART_USER
      case .password: CURLUPART_PASSWORD
      case .host: CURLUPART_HOST
      case .port: CURLUPART_PORT
      case .path: CURLUPART_PATH
      case .query: CURLUPART_QUERY
      case .whole: CURLUPART_URL
      }
    }
  }

  private let handle: OpaquePointer

  /// - Throws: ``HTTPError`` with the code `invalidRequest`; its text does not repeat the URL.
  init(_ text: String) throws(HTTPError) {
    guard let handle = curl_url() else { throw Self.unreadable("out of memory") }
    self.handle = handle
    try set(text, flags: CURLU_PATH_AS_IS)
  }

  deinit { curl_url_cleanup(handle) }

  /// Goes on to what the URL's server calls `reference`, as in a redirect.
  func follow(_ reference: String) throws(HTTPError) {
    // As libcurl itself reads redirects.
    try set(reference, flags: CURLU_URLENCODE | CURLU_ALLOW_SPACE)
  }

  private func set(_ text: String, flags: Int32) throws(HTTPError) {
    guard !text.utf8.contains(0) else { throw Self.unreadable(nil) }
    let result = curl_url_set(handle, CURLUPART_URL, text, UInt32(flags))
    guard result == CURLUE_OK else {
      throw Self.unreadable(String(cString: curl_url_strerror(result)))
    }
  }

  private static func unreadable(_ detail: String?) -> HTTPError {
    HTTPError(
      .invalidRequest, reason: "the URL cannot be read" + (detail.map { ": \($0)" } ?? ""))
  }

  /// A part as it was written; nil if there is none.
  subscript(part: Part) -> String? {
    bytes(of: part, flags: CURLU_DEFAULT_PORT).map { String(decoding: $0, as: UTF8.self) }
  }

  /// A part with its percent signs resolved, which may make it anything.
  func decoded(_ part: Part) -> [UInt8]? { bytes(of: part, flags: CURLU_URLDECODE) }

  private func bytes(of part: Part, flags: Int32) -> [UInt8]? {
    var text: UnsafeMutablePointer<CChar>?
    guard curl_url_get(handle, part.code, &text, UInt32(flags)) == CURLUE_OK, let text else {
      return nil
    }
    defer { curl_free(text) }
    return UnsafeBufferPointer(start: text, count: strlen(text)).map(UInt8.init(bitPattern:))
  }
}
