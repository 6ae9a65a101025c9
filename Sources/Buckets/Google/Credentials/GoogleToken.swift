import CurlClient

/// The tokens of one account: kept, and renewed before their end.
typealias GoogleTokens = CredentialCache<GoogleToken>

/// What requests to Google show.
struct GoogleToken: Sendable, Hashable {
  let text: Secret

  var field: HTTPField { HTTPField("Authorization", "Bearer \(text.revealed)") }
}

extension GoogleToken {
  private struct Answer: Decodable {
    var accessToken: String
    var expiresIn: Int?
    var tokenType: String?
  }

  /// The longest life that is believed; Google's tokens live an hour.
  private static let longestLife = 12 * 3600
  /// A token that ends sooner, in seconds, is not sent any more: the request needs its time too.
  private static let leastLife = 15

  /// Reads the answer of a token server, of which all kinds have the same form.
  ///
  /// - Returns: nil when it is no token that can be sent.
  static func read(_ body: [UInt8], now: Int) -> Expiring<GoogleToken>? {
    guard let answer = try? GoogleJSON.decode(Answer.self, body),
      answer.tokenType.map({ $0.lowercased() == "bearer" }) ?? true
    else { return nil }
    // Metadata servers have been seen to pad tokens with dots, which belong to them.
    let token = answer.accessToken
    guard !token.isEmpty, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
    let life = min(max(answer.expiresIn ?? 3600, 0), longestLife)
    return Expiring(value: GoogleToken(text: Secret(token)), expiration: now + life - leastLife)
  }
}

/// Where tokens come from.
protocol GoogleTokenSource: Sendable {
  /// For messages: `service account NAME`.
  var name: String { get }

  /// One token, with repeats of what fails for a moment.
  ///
  /// - Throws: ``BucketError``; `CancellationError`.
  func fetch() async throws -> Expiring<GoogleToken>
}

/// What a token may be used for.
enum GoogleScope: String, Sendable {
  case readWrite = "https://www.googleapis.com/auth/devstorage.read_write"
  /// Also to make objects public.
  case fullControl = "https://www.googleapis.com/auth/devstorage.full_control"
  /// Everything the account may; signatures by Google need it.
  case everything = "https://www.googleapis.com/auth/cloud-platform"
}
