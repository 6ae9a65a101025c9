import FoundationEssentials

extension AWSCredential {
  /// Takes a credential from what a service answered: the same members in JSON and in XML.
  ///
  /// - Parameters:
  ///   - token: the name of the member with the session token.
  ///   - now: seconds since 1970.
  ///   - member: the text of a member.
  /// - Throws: ``BucketError`` that names what is missing or wrong.
  init(
    from service: CredentialService, token: String, now: Int, member: (String) -> String?
  ) throws(BucketError) {
    func required(_ name: String) throws(BucketError) -> String {
      guard let text = member(name), !text.isEmpty else { throw service.malformed("no \(name)") }
      return text
    }
    let id = try required("AccessKeyId")
    let secret = Secret(try required("SecretAccessKey"))
    let session = Secret(try required(token))
    guard let end = Self.seconds(try required("Expiration")) else {
      throw service.malformed("Expiration is not a time")
    }
    guard end > now else {
      throw BucketError(
        .credentials,
        "\(service.name) gave a credential that ended \(now - end) s ago; check this machine's clock",
        isRetryable: true, answer: .init())
    }
    do {
      try self.init(
        accessKeyID: id, secretAccessKey: secret, sessionToken: session, expiration: end)
    } catch {
      throw service.malformed(error.reason)
    }
  }

  /// Seconds since 1970 of `2026-11-21T09:30:00Z`, with or without a fraction.
  static func seconds(_ text: String) -> Int? {
    let date =
      (try? Date(text, strategy: Date.ISO8601FormatStyle()))
      ?? (try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
    return date.flatMap { Int(exactly: $0.timeIntervalSince1970.rounded(.down)) }
  }
}
