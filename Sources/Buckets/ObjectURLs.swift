/// The addresses under which the objects of one bucket are known.
///
/// The stock front end on AWS hands out URLs of inputs, not keys. They are read here and never
/// fetched.
struct ObjectURLs: Sendable {
  /// Before a key, without `http://` or `https://`: the host in lower case, then a path that ends in
  /// a slash.
  private var bases: [String] = []
  /// `s3://BUCKET/` or `gs://BUCKET/`, in lower case.
  private var uri: String?
  /// Where the host of AWS has a region in it.
  private var bucketAtAWS: String?

  /// - Parameters:
  ///   - endpoint: the base URL of a server that is not AWS's.
  ///   - publicBaseURL: what result URLs begin with.
  static func s3(bucket: String, endpoint: String?, publicBaseURL: String?) -> ObjectURLs {
    var urls = ObjectURLs(publicBaseURL: publicBaseURL)
    urls.uri = "s3://\(bucket.lowercased())/"
    urls.bucketAtAWS = bucket
    if let endpoint { urls.add(endpoint, bucket: bucket) }
    return urls
  }

  /// - Parameter emulator: the base URL of one.
  static func google(bucket: String, emulator: String?, publicBaseURL: String?) -> ObjectURLs {
    var urls = ObjectURLs(publicBaseURL: publicBaseURL)
    urls.uri = "gs://\(bucket.lowercased())/"
    urls.add("https://storage.googleapis.com", bucket: bucket)
    if let emulator {
      urls.add(emulator.contains("://") ? emulator : "http://\(emulator)", bucket: bucket)
    }
    return urls
  }

  /// Of a folder, which has none but those of a gateway in front of it.
  init(publicBaseURL: String?) {
    if let base = publicBaseURL.flatMap(Self.splitURL) { bases.append(Self.base(base)) }
  }

  /// Both ways of addressing, whichever is used.
  private mutating func add(_ url: String, bucket: String) {
    guard let base = Self.splitURL(url).map(Self.base) else { return }
    bases.append(base + bucket + "/")
    bases.append("\(bucket).\(base)")
  }

  /// The key that a job's `input_file_name` means: itself, or the rest of a URL of this bucket.
  ///
  /// - Throws: ``BucketError`` `invalidRequest` for a URL of anything else, or a hostile key.
  func key(named name: String) throws(BucketError) -> ObjectKey {
    guard let (scheme, address) = Self.splitURL(name) else { return try ObjectKey(name) }
    let rest = address.prefix { $0 != "?" && $0 != "#" }
    if let encoded = encodedKey(scheme: scheme, address: rest),
      let key = PercentEncoding.decode(encoded)
    {
      return try ObjectKey(key)
    }
    // Without the query, which may be a signature.
    throw BucketError(
      .invalidRequest, key: "\(scheme)://\(rest.prefix(200))",
      "the input is a web address, not a file of this service's bucket; upload the file first")
  }

  private func encodedKey(scheme: String, address: Substring) -> Substring? {
    guard let slash = address.firstIndex(of: "/") else { return nil }
    let host = address[..<slash].lowercased()
    if scheme == "s3" || scheme == "gs" {
      return "\(scheme)://\(host)/" == uri ? address[address.index(after: slash)...] : nil
    }
    guard scheme == "http" || scheme == "https" else { return nil }
    let plain = Self.withoutDefaultPort(host, scheme) + address[slash...]
    let base =
      bases.first { plain.hasPrefix($0) } ?? bucketAtAWS.flatMap { Self.awsBase(plain, bucket: $0) }
    return base.map { plain.dropFirst($0.count) }
  }

  /// `B.s3.amazonaws.com/`, `B.s3.REGION.amazonaws.com/`, `B.s3-REGION.amazonaws.com/`, and the same
  /// hosts without `B.` and `B/` in the path.
  private static func awsBase(_ address: String, bucket: String) -> String? {
    let host = String(address.prefix { $0 != "/" })
    let isVirtual = host.hasPrefix("\(bucket).s3")
    let service = isVirtual ? host.dropFirst(bucket.count + 1) : host[...]
    guard let domain = [".amazonaws.com", ".amazonaws.com.cn"].first(where: service.hasSuffix)
    else { return nil }
    var labels = service.dropLast(domain.count).split(
      separator: ".", omittingEmptySubsequences: false)
    let first = labels.removeFirst()
    guard first == "s3" || first == "s3-fips" || first.hasPrefix("s3-") && labels.isEmpty else {
      return nil
    }
    if labels.first == "dualstack" { labels.removeFirst() }
    guard labels.count < 2, labels.allSatisfy({ S3Address.isRegion(String($0)) }) else {
      return nil
    }
    let base = isVirtual ? "\(host)/" : "\(host)/\(bucket)/"
    return address.hasPrefix(base) ? base : nil
  }

  /// Nil if it is no URL: does not begin with a scheme (RFC 3986, 3.1) and two slashes.
  private static func splitURL(_ text: String) -> (scheme: String, rest: Substring)? {
    guard let separator = text.firstRange(of: "://") else { return nil }
    let scheme = text[..<separator.lowerBound].lowercased()
    guard let first = scheme.utf8.first, isLetter(first),
      scheme.utf8.allSatisfy({
        isLetter($0) || (0x30...0x39).contains($0) || "+-.".utf8.contains($0)
      })
    else { return nil }
    return (scheme, text[separator.upperBound...])
  }

  private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte) }

  private static func base(_ url: (scheme: String, rest: Substring)) -> String {
    let host = withoutDefaultPort(url.rest.prefix { $0 != "/" }.lowercased(), url.scheme)
    return host + String(url.rest.drop { $0 != "/" }).droppingLastSlashes + "/"
  }

  private static func withoutDefaultPort(_ host: String, _ scheme: String) -> String {
    let port = scheme == "https" ? ":443" : ":80"
    return host.hasSuffix(port) ? String(host.dropLast(port.count)) : host
  }
}
