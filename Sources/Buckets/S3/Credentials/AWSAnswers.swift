import FoundationEssentials

/// What services that give out credentials answer: the same members in JSON and in XML.
struct CredentialAnswer: Sendable {
  let credential: AWSCredential
  let expiration: Int

  /// - Parameters:
  ///   - member: the text of a member; `SessionToken` may be named otherwise.
  ///   - now: seconds since 1970.
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
    do {
      credential = try AWSCredential(
        accessKeyID: id, secretAccessKey: secret, sessionToken: session)
    } catch {
      throw service.malformed(error.reason)
    }
    guard let end = Self.seconds(try required("Expiration")) else {
      throw service.malformed("Expiration is not a time")
    }
    guard end > now else {
      throw BucketError(
        .credentials,
        "\(service.name) gave a credential that ended \(now - end) s ago; check this machine's clock",
        isRetryable: true)
    }
    expiration = end
  }

  /// Seconds since 1970 of `2026-11-21T09:30:00Z`, with or without a fraction.
  static func seconds(_ text: String) -> Int? {
    let date =
      (try? Date(text, strategy: Date.ISO8601FormatStyle()))
      ?? (try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
    return date.flatMap { Int(exactly: $0.timeIntervalSince1970.rounded(.down)) }
  }
}

/// The JSON of container and instance services, of credentials and of errors.
struct CredentialDocument: Decodable {
  let texts: [String: String]

  private struct Member: Decodable {
    let text: String?
    init(from decoder: any Decoder) throws {
      text = try? decoder.singleValueContainer().decode(String.self)
    }
  }

  /// Nil if it is no JSON object.
  init?(_ bytes: [UInt8]) {
    guard let document = try? JSONDecoder().decode(Self.self, from: Data(bytes)) else { return nil }
    self = document
  }

  init(from decoder: any Decoder) throws {
    texts = try decoder.singleValueContainer().decode([String: Member].self)
      .compactMapValues(\.text)
  }

  /// The name of an error, and its words.
  var error: (code: String?, message: String?) {
    (texts["Code"] ?? texts["code"], texts["Message"] ?? texts["message"])
  }
}
