import FoundationEssentials

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
