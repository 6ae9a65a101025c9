import CCrypto

/// A private key that signs by RSA with SHA-256 (PKCS#1 v1.5), which is RS256 in JSON web tokens.
final class RSAKey: @unchecked Sendable {  // libcrypto's keys are not changed by signing
  private let key: OpaquePointer

  /// - Parameter pem: PKCS#8 or PKCS#1, without a password.
  /// - Returns: nil for anything else.
  init?(pem: Secret) {
    let text = Array(pem.revealed.utf8)
    guard let count = Int32(exactly: text.count), let source = BIO_new_mem_buf(text, count) else {
      return nil
    }
    // What cannot be read is left in a queue of this thread, where others would find it.
    defer {
      BIO_free(source)
      ERR_clear_error()
    }
    // Without an answer libcrypto asks for a password at the terminal.
    guard let key = PEM_read_bio_PrivateKey(source, nil, { _, _, _, _ in -1 }, nil) else {
      return nil
    }
    guard EVP_PKEY_is_a(key, "RSA") == 1 else {
      EVP_PKEY_free(key)
      return nil
    }
    self.key = key
  }

  deinit { EVP_PKEY_free(key) }

  /// - Throws: ``BucketError`` `credentials` when libcrypto refuses the key, for example as too short.
  func signature(of message: [UInt8]) throws(BucketError) -> [UInt8] {
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    var count = 0
    guard let context, EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key) == 1,
      EVP_DigestSign(context, nil, &count, message, message.count) == 1
    else { throw Self.refusal() }
    var signature = [UInt8](repeating: 0, count: count)
    guard EVP_DigestSign(context, &signature, &count, message, message.count) == 1 else {
      throw Self.refusal()
    }
    return Array(signature.prefix(count))
  }

  private static func refusal() -> BucketError {
    ERR_clear_error()
    return BucketError(
      .credentials, "the private key of the Google service account cannot sign; create a new key")
  }
}
