import CCrypto

/// What sender and receiver of callbacks know and nobody else.
package struct CallbackSecret: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  private let bytes: [UInt8]

  /// Nil for an empty text.
  package init?(_ text: String) {
    if text.isEmpty { return nil }
    bytes = Array(text.utf8)
  }

  package var description: String { "***" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: []) }

  /// The value of `Kiosk-Signature`: `v1=` and the HMAC-SHA256, in lower-case hexadecimal digits, of
  /// the time, a dot and the body.
  ///
  /// - Parameter timestamp: the value of `Kiosk-Timestamp`, seconds since 1970. Signed as well, so
  ///   that a receiver can refuse what somebody recorded and sends again.
  func signature(timestamp: String, body: [UInt8]) -> String {
    let code = authenticationCode(Array(timestamp.utf8) + [UInt8(ascii: ".")] + body)
    return "v1="
      + code.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// HMAC-SHA256 (RFC 2104).
  func authenticationCode(_ message: [UInt8]) -> [UInt8] {
    var code = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    var count: UInt32 = 0
    let result = HMAC(
      EVP_sha256(), bytes, Int32(bytes.count), message, message.count, &code, &count)
    precondition(result != nil && Int(count) == code.count, "libcrypto has no HMAC-SHA256")
    return code
  }
}
