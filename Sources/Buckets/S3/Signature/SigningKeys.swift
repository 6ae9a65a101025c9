import Synchronization

/// The keys that requests of a day are signed with, made once of the secret.
final class SigningKeys: Sendable {
  static let scopeEnd = "s3/aws4_request"

  private struct Entry {
    let credential: AWSCredential
    let date: String
    let region: String
    let key: [UInt8]
  }

  /// Around midnight, a change of region or credential there are two.
  private static let limit = 4

  private let entries = Mutex<[Entry]>([])

  init() {}

  func key(for credential: AWSCredential, date: String, region: String) -> [UInt8] {
    let known = entries.withLock { entries in
      entries.first {
        $0.date == date && $0.region == region && $0.credential == credential
      }?.key
    }
    if let known { return known }
    var key = Array("AWS4\(credential.secretAccessKey.revealed)".utf8)
    for part in [date, region, "s3", "aws4_request"] {
      key = Hashes.authenticationCode(part, key: key)
    }
    entries.withLock { entries in
      entries.append(Entry(credential: credential, date: date, region: region, key: key))
      if entries.count > Self.limit { entries.removeFirst() }
    }
    return key
  }
}
