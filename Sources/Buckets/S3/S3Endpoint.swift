import CurlClient

/// Where the objects of a bucket are, and how their paths begin.
struct S3Endpoint: Sendable, Hashable {
  let scheme: String
  /// As in the field `Host`: the port only if it is not the scheme's own.
  let host: String
  /// What stands before the key: percent-encoded, with a slash at its begin and none at its end.
  let prefix: String

  func path(of key: ObjectKey) -> String { prefix + "/" + PercentEncoding.encodePath(key.text) }

  func url(of key: ObjectKey) -> String { "\(scheme)://\(host)\(path(of: key))" }
}

extension S3Endpoint {
  /// Reads a base URL, such as `https://minio.lab:9000/store`.
  ///
  /// - Parameter setting: its name, for the error.
  init(_ text: String, setting: String) throws(BucketError) {
    func refuse(_ why: String) -> BucketError {
      BucketError(
        .invalidRequest,
        "\(setting): \(why); write it like https://store.example.org or http://127.0.0.1:9000")
    }
    let url: HTTPURL
    do throws(HTTPError) { url = try HTTPURL(text) } catch { throw refuse(error.reason) }
    guard !text.contains(where: { "?#@".contains($0) }) else {
      throw refuse("it has a query, a fragment or a user name")
    }
    guard let separator = text.firstRange(of: "://") else { throw refuse("it has no scheme") }
    let path = text[separator.upperBound...].drop { $0 != "/" }
    guard let decoded = PercentEncoding.decode(path) else {
      throw refuse("its path is not percent-encoded UTF-8")
    }
    let isDefaultPort = url.port == (url.scheme == "https" ? 443 : 80)
    scheme = url.scheme
    host =
      (url.host.contains(":") ? "[\(url.host)]" : url.host) + (isDefaultPort ? "" : ":\(url.port)")
    prefix = PercentEncoding.encodePath(decoded.droppingLastSlashes)
  }

  /// Whether requests stay on this machine.
  var isLoopback: Bool {
    let name = host.hasPrefix("[") ? host.prefix { $0 != "]" } : host.prefix { $0 != ":" }
    return name == "localhost" || name == "[::1"
      || name.hasPrefix("127.") && name.allSatisfy { $0.isNumber || $0 == "." }
  }

  /// With the bucket in front of the host's name.
  func virtual(_ bucket: String) -> S3Endpoint {
    S3Endpoint(scheme: scheme, host: "\(bucket).\(host)", prefix: prefix)
  }

  /// With the bucket in the path.
  func byPath(_ bucket: String) -> S3Endpoint {
    S3Endpoint(scheme: scheme, host: host, prefix: prefix + "/" + PercentEncoding.encode(bucket))
  }
}

extension String {
  var droppingLastSlashes: String {
    let end = lastIndex { $0 != "/" }.map { index(after: $0) } ?? startIndex
    return String(self[..<end])
  }
}
