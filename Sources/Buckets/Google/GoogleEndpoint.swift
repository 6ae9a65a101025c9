import CurlClient

/// The addresses of one bucket's objects in the JSON API.
struct GoogleEndpoint: Sendable {
  static let service = "https://storage.googleapis.com"

  /// Without a slash at the end.
  let base: String
  let bucket: String
  private let url: HTTPURL

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
    let text = emulator.map { $0.contains("://") ? $0 : "http://\($0)" } ?? Self.service
    func refuse(_ why: String) -> BucketError {
      BucketError(
        .invalidRequest,
        "STORAGE_EMULATOR_HOST: \(why); write it like 127.0.0.1:4443 or http://gcs.lab:4443")
    }
    guard !text.contains(where: { "?#@".contains($0) }) else {
      throw refuse("it has a query, a fragment or a user name")
    }
    do throws(HTTPError) { url = try HTTPURL(text) } catch { throw refuse(error.reason) }
    base = text.droppingLastSlashes
  }

  /// Scheme, host and port, for messages.
  var server: String { "\(url)" }

  /// Whether others than this machine can read along.
  var isInsecure: Bool { url.scheme == "http" && !url.isLoopback }

  func object(_ key: ObjectKey, _ query: [(String, String)] = []) throws(HTTPError) -> HTTPURL {
    try address("/storage/v1/b/\(bucket)/o/\(PercentEncoding.encode(key.text))", query)
  }

  func upload(_ query: [(String, String)]) throws(HTTPError) -> HTTPURL {
    try address("/upload/storage/v1/b/\(bucket)/o", query)
  }

  /// Where a session is, which the store told. What leads elsewhere than to the store is not followed:
  /// emulators tell addresses that only they know.
  func session(_ location: String) throws(HTTPError) -> HTTPURL {
    let session = try url.resolving(location)
    if session.isSameServer(as: url) { return session }
    return try url.with(path: session.path, query: session.query)
  }

  private func address(_ path: String, _ query: [(String, String)]) throws(HTTPError) -> HTTPURL {
    let query = query.map { "\($0)=\(PercentEncoding.encode($1))" }.joined(separator: "&")
    return try HTTPURL(base + path + (query.isEmpty ? "" : "?" + query))
  }
}

extension HTTPURL {
  /// Whether it is on this machine, whatever names mean elsewhere.
  var isLoopback: Bool {
    host == "localhost" || host == "::1"
      || host.hasPrefix("127.") && host.allSatisfy { $0 == "." || $0.isNumber }
  }
}
