import CCrypto

/// Hashes of short texts, which signatures are made of.
enum Hashes {
  static func sha256(_ bytes: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    CCrypto.SHA256(bytes, bytes.count, &digest)
    return digest
  }

  /// HMAC-SHA256 (RFC 2104).
  static func authenticationCode(_ message: String, key: [UInt8]) -> [UInt8] {
    let message = Array(message.utf8)
    var code = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    var count: UInt32 = 0
    let result = HMAC(
      EVP_sha256(), key, Int32(key.count), message, message.count, &code, &count)
    precondition(result != nil && Int(count) == code.count, "libcrypto has no HMAC-SHA256")
    return code
  }

  /// Lower-case digits of the SHA-256 of a text.
  static func sha256Hexadecimal(_ text: String) -> String {
    Hexadecimal.encode(sha256(Array(text.utf8)))
  }
}
