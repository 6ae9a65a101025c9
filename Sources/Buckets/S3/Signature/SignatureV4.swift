import CurlClient

/// AWS Signature Version 4 for S3.
///
/// libcurl has one too, which signs another path, query or header than it sends in releases before
/// 8.19, and cannot sign URLs.
struct SignatureV4: Sendable {
  static let algorithm = "AWS4-HMAC-SHA256"
  /// In place of the body's hash: TLS protects the bytes, and nothing is read twice.
  static let unsignedPayload = "UNSIGNED-PAYLOAD"

  let credential: AWSCredential
  let region: String
  let time: SigningTime
  let keys: SigningKeys

  /// The fields of a request with the signature and what belongs to it.
  ///
  /// - Parameters:
  ///   - host: as in the field `Host`, which is not in `fields`.
  ///   - payload: the SHA-256 of the body in lower-case hexadecimal digits, or
  ///     ``unsignedPayload``.
  func sign(
    _ method: String, host: String, path: String, query: CanonicalQuery, fields: [HTTPField],
    payload: String
  ) -> [HTTPField] {
    var fields = fields
    fields.append(HTTPField("x-amz-date", time.text))
    fields.append(HTTPField("x-amz-content-sha256", payload))
    if let token = credential.sessionToken {
      fields.append(HTTPField("x-amz-security-token", token.revealed))
    }
    let request = CanonicalRequest(
      method: method, path: path, query: query,
      fields: [HTTPField("host", host)] + fields.filter(Self.isSigned), payload: payload)
    fields.append(
      HTTPField(
        "Authorization",
        "\(Self.algorithm) Credential=\(credential.accessKeyID)/\(scope), "
          + "SignedHeaders=\(request.signedNames), Signature=\(signature(of: request))"))
    return fields
  }

  /// The query of a URL that anyone may GET for a while.
  ///
  /// - Parameters:
  ///   - lifetime: seconds.
  ///   - items: more of the query, such as `response-content-disposition`.
  func presignedQuery(
    host: String, path: String, lifetime: Int, items: [(name: String, value: String)] = []
  ) -> String {
    var items = items
    items.append(("X-Amz-Algorithm", Self.algorithm))
    items.append(("X-Amz-Credential", "\(credential.accessKeyID)/\(scope)"))
    items.append(("X-Amz-Date", time.text))
    items.append(("X-Amz-Expires", "\(lifetime)"))
    items.append(("X-Amz-SignedHeaders", "host"))
    if let token = credential.sessionToken {
      items.append(("X-Amz-Security-Token", token.revealed))
    }
    let query = CanonicalQuery(items)
    let request = CanonicalRequest(
      method: "GET", path: path, query: query, fields: [HTTPField("host", host)],
      payload: Self.unsignedPayload)
    return "\(query.text)&X-Amz-Signature=\(signature(of: request))"
  }

  func signature(of request: CanonicalRequest) -> String {
    let text = [
      Self.algorithm, time.text, scope, Hashes.sha256Hexadecimal(request.text),
    ].joined(separator: "\n")
    let key = keys.key(for: credential, date: time.date, region: region)
    return Hexadecimal.encode(Hashes.authenticationCode(text, key: key))
  }

  private var scope: String { "\(time.date)/\(region)/\(SigningKeys.scopeEnd)" }

  /// Some servers refuse fields of theirs that are not signed; what the client or a proxy may add or
  /// change is left out.
  private static func isSigned(_ field: HTTPField) -> Bool {
    let name = field.name.lowercased()
    return ["content-md5", "content-type", "range"].contains(name)
      || name.hasPrefix("x-amz-") || name.hasPrefix("if-")
  }
}
