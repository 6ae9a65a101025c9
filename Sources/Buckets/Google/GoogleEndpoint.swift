import CurlClient

/// The addresses of one bucket's objects in the JSON API.
struct GoogleEndpoint: Sendable {
  static let service = "https://storage.googleapis.com"

  /// Without a slash at the end.
  let base: String
  let bucket: String

  /// - Parameter emulator: `host:port` or a URL.
  /// - Throws: ``BucketError`` `invalidRequest` for an address or a name that cannot be used.
  init(bucket: String, emulator: String?) throws(BucketError) {
    guard (3...222).contains(bucket.utf8.count),
      bucket.utf8.allSatisfy({
        (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) || "-_.".utf8.contains($0)
      })
    else {
      throw BucketError(
        .invalidRequest,
        "\"\(bucket)\" is no name of a bucket: 3 to 222 of a-z, 0-9, -, _ and .; "
          + "check STORAGE_BUCKET")
    }
    self.bucket = bucket
    let url = emulator.map { $0.contains("://") ? $0 : "http://\($0)" } ?? Self.service
    do { _ = try HTTPURL(url) } catch {
      throw BucketError(.invalidRequest, "STORAGE_EMULATOR_HOST: \(error.reason)")
    }
    // It is shown, and paths are put behind it.
    guard !url.contains(where: { "?#@".contains($0) }) else {
      throw BucketError(
        .invalidRequest, "STORAGE_EMULATOR_HOST: it has a query, a fragment or a user name")
    }
    base = url.hasSuffix("/") ? String(url.dropLast()) : url
  }

  func object(_ key: ObjectKey, _ query: [(String, String)] = []) throws(HTTPError) -> HTTPURL {
    try url("/storage/v1/b/\(bucket)/o/\(PercentEncoding.encode(key.text))", query)
  }

  func upload(_ query: [(String, String)]) throws(HTTPError) -> HTTPURL {
    try url("/upload/storage/v1/b/\(bucket)/o", query)
  }

  /// Where a session is, which the store told. What leads elsewhere than to the store is not followed:
  /// emulators tell addresses that only they know.
  func session(_ location: String) throws(HTTPError) -> HTTPURL {
    let store = try HTTPURL(base)
    let url = try location.hasPrefix("/") ? HTTPURL(store.origin + location) : HTTPURL(location)
    if url.origin == store.origin { return url }
    let path = url.text.dropFirst(url.scheme.count + 3).drop { $0 != "/" }
    return try HTTPURL(store.origin + path)
  }

  private func url(_ path: String, _ query: [(String, String)]) throws(HTTPError) -> HTTPURL {
    let query = query.map { "\($0)=\(PercentEncoding.encode($1))" }.joined(separator: "&")
    return try HTTPURL(base + path + (query.isEmpty ? "" : "?" + query))
  }
}

extension HTTPURL {
  /// Scheme, host and port.
  var origin: String { "\(self)" }

  /// Whether it is on this machine, whatever names mean elsewhere.
  var isLoopback: Bool {
    host == "localhost" || host == "::1"
      || host.hasPrefix("127.") && host.allSatisfy { $0 == "." || $0.isNumber }
  }
}
