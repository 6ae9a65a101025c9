import CurlClient

/// The hosts that results may be sent to at the wish of a job: `STORAGE_UPLOAD_HOSTS`.
///
/// A comma list of hosts (`targets.example`), all hosts below one (`*.lab.example`), either with
/// `http://` in front where it need not be HTTPS, and with a port behind (`http://cog:5000`) where the
/// host may have an address that is not public. Without any, results go into the bucket only.
package struct UploadHosts: Sendable {
  private struct Rule: Sendable {
    let allowsHTTP: Bool
    /// With the dot in front where it is a suffix.
    let host: String
    let isSuffix: Bool
    /// Nil for any.
    let port: Int?
    let isLoopback: Bool

    func matches(_ url: HTTPURL) -> Bool {
      (isSuffix ? url.host.hasSuffix(host) : url.host == host) && (port == nil || port == url.port)
    }
  }

  private let rules: [Rule]
  /// What may be connected to, also by redirects and after names have changed their addresses.
  package let addresses: AddressGuard

  /// None.
  package init() {
    rules = []
    addresses = AddressGuard()
  }

  /// - Throws: ``BucketError`` `invalidRequest` that names the first entry that is none.
  package init(_ text: String) throws(BucketError) {
    var rules: [Rule] = []
    var exceptions: [String] = []
    for entry in text.split(separator: ",") {
      let entry = entry.drop(while: \.isWhitespace)
      let end = entry.lastIndex { !$0.isWhitespace }.map { entry.index(after: $0) }
      guard let end else { continue }
      let text = String(entry[..<end])
      let rule = try Self.rule(text)
      rules.append(rule)
      if let port = rule.port {
        let host = rule.host.contains(":") ? "[\(rule.host)]" : rule.host
        exceptions.append("\(rule.isSuffix ? "*" : "")\(host):\(port)")
      }
    }
    self.rules = rules
    do {
      addresses = try AddressGuard(except: exceptions)
    } catch {
      throw BucketError(.invalidRequest, error.reason)
    }
  }

  package var isEmpty: Bool { rules.isEmpty }

  /// What works but should be changed, one sentence each.
  package var warnings: [String] {
    rules.filter { $0.allowsHTTP && !$0.isLoopback }.map { rule in
      "STORAGE_UPLOAD_HOSTS has http://\(rule.isSuffix ? "*" : "")\(rule.host): whoever is on the way "
        + "can read the results that are sent there."
    }
  }

  private static func rule(_ text: String) throws(BucketError) -> Rule {
    let refusal = BucketError(
      .invalidRequest,
      "\(text.debugDescription) is no host; write host, *.domain, http://host, each also with :port"
    )
    let lowercased = text.lowercased()
    let allowsHTTP = lowercased.hasPrefix("http://")
    var rest = lowercased
    for scheme in ["http://", "https://"] where rest.hasPrefix(scheme) {
      rest.removeFirst(scheme.count)
    }
    if rest.hasSuffix("/") { rest.removeLast() }
    let isSuffix = rest.hasPrefix("*.")
    // `*.` becomes a name that can be read with the rest.
    if isSuffix { rest = "x" + rest.dropFirst() }
    let isPlain = rest.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !"/?#@*%\\".utf8.contains($0) }
    guard isPlain, !rest.hasSuffix(":"), let url = try? HTTPURL("http://" + rest) else {
      throw refusal
    }
    let hasPort = rest[(rest.lastIndex(of: "]") ?? rest.startIndex)...].contains(":")
    guard !isSuffix || url.host.count > 2 else { throw refusal }
    return Rule(
      allowsHTTP: allowsHTTP, host: isSuffix ? String(url.host.dropFirst()) : url.host,
      isSuffix: isSuffix, port: hasPort ? url.port : nil, isLoopback: !isSuffix && url.isLoopback)
  }

  /// - Throws: ``BucketError`` `invalidRequest` that says why nothing may be sent there.
  func check(_ url: HTTPURL) throws(BucketError) {
    guard rules.contains(where: { $0.matches(url) }) else {
      throw BucketError(
        .invalidRequest,
        "upload_url names \(url), a host that results are not sent to; "
          + (isEmpty
            ? "STORAGE_UPLOAD_HOSTS of this service is not set"
            : "ask for it to be listed in STORAGE_UPLOAD_HOSTS of this service"))
    }
    guard url.scheme == "https" || allowHTTP(url) else {
      throw BucketError(
        .invalidRequest,
        "upload_url is http, and STORAGE_UPLOAD_HOSTS of this service has \(url.host) for https only"
      )
    }
    if let address = IPAddress(url.host),
      !addresses.allows(address, host: url.host, port: url.port)
    {
      throw Self.refusal(of: address, url)
    }
  }

  /// Whether what is sent there need not be encrypted.
  func allowHTTP(_ url: HTTPURL) -> Bool {
    rules.contains { $0.allowsHTTP && $0.matches(url) }
  }

  static func refusal(of address: IPAddress, _ url: HTTPURL) -> BucketError {
    BucketError(
      .invalidRequest,
      "upload_url leads to \(address), which is not an address of the public internet; results are "
        + "sent there only if STORAGE_UPLOAD_HOSTS of this service names the host with its port")
  }
}
