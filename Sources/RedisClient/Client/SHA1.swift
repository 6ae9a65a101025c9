import CCrypto

/// The digest by which Redis knows a script. For names, not for secrets.
package enum SHA1 {
  /// Forty lower-case hexadecimal digits.
  package static func hexadecimal(of bytes: [UInt8]) -> String {
    var digest = [UInt8](repeating: 0, count: Int(SHA_DIGEST_LENGTH))
    CCrypto.SHA1(bytes, bytes.count, &digest)
    return digest.map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }
}
