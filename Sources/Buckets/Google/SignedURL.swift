/// A URL that opens an object for whoever has it, for a while: version 4 of Google's signatures, by
/// RSA.
///
/// - Source: Google Cloud Storage documentation, "V4 signing process" and "Canonical requests".
struct SignedURL: Sendable {
  private static let algorithm = "GOOG4-RSA-SHA256"

  /// `https://HOST`.
  private let origin: String
  /// Encoded.
  private let path: String
  private let time: SigningTime
  private let lifetime: Int

  /// - Parameters:
  ///   - url: the object's, without query.
  ///   - now: seconds since 1970.
  ///   - lifetime: in seconds.
  init(_ url: String, now: Int, lifetime: Int) {
    let start = url.firstRange(of: "://")?.upperBound ?? url.startIndex
    let slash = url[start...].firstIndex(of: "/") ?? url.endIndex
    origin = String(url[..<slash])
    path = String(url[slash...])
    time = SigningTime(now)
    self.lifetime = lifetime
  }

  private var host: Substring { origin.drop { $0 != "/" }.drop { $0 == "/" } }
  private var scope: String { "\(time.date)/auto/storage/goog4_request" }

  private func query(email: String) -> String {
    // In the order of the names.
    [
      ("X-Goog-Algorithm", Self.algorithm), ("X-Goog-Credential", "\(email)/\(scope)"),
      ("X-Goog-Date", time.text), ("X-Goog-Expires", "\(lifetime)"),
      ("X-Goog-SignedHeaders", "host"),
    ].map { "\($0)=\(PercentEncoding.encode($1))" }.joined(separator: "&")
  }

  func stringToSign(email: String) -> String {
    let request = [
      "GET", path, query(email: email), "host:\(host)", "", "host", "UNSIGNED-PAYLOAD",
    ]
    .joined(separator: "\n")
    return [Self.algorithm, time.text, scope, Hashes.sha256Hexadecimal(request)]
      .joined(separator: "\n")
  }

  func text(email: String, signature: [UInt8]) -> String {
    "\(origin)\(path)?\(query(email: email))&X-Goog-Signature=\(Hexadecimal.encode(signature))"
  }
}
