import CCrypto

/// A message digest in the making, by libcrypto.
///
/// Not for two threads at a time: ``Checksum`` makes a copy before it changes a shared one.
final class Digest: @unchecked Sendable {  // see above
  private let context: OpaquePointer

  /// - Parameter properties: what libcrypto's provider must have, for tests of its refusal.
  init(_ algorithm: ChecksumAlgorithm, properties: String? = nil) throws(BucketError) {
    let name =
      switch algorithm {
      case .md5: "MD5"
      case .sha256: "SHA2-256"
      case .crc32, .crc32c, .crc64nvme: preconditionFailure("\(algorithm) is no digest")
      }
    let method = EVP_MD_fetch(nil, name, properties)
    defer { EVP_MD_free(method) }
    let context = EVP_MD_CTX_new()
    guard let context, let method, EVP_DigestInit_ex(context, method, nil) == 1 else {
      EVP_MD_CTX_free(context)
      // The error stays in a queue of this thread, where it could be taken for another's.
      ERR_clear_error()
      throw BucketError(
        .invalidRequest,
        "the cryptography library refuses \(name), as in FIPS mode; "
          + "set STORAGE_S3_CHECKSUM to a checksum that it allows, such as sha256 or crc32c")
    }
    self.context = context
  }

  private init(_ context: OpaquePointer) { self.context = context }

  deinit { EVP_MD_CTX_free(context) }

  func copy() -> Digest {
    guard let copy = EVP_MD_CTX_new(), EVP_MD_CTX_copy_ex(copy, context) == 1 else {
      fatalError("no memory for a digest")
    }
    return Digest(copy)
  }

  func update(with bytes: UnsafeRawBufferPointer) {
    let result = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    precondition(result == 1, "libcrypto fails to digest")
  }

  /// Ends it; the object is of no use afterwards.
  func finish() -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, count in
      var length: UInt32 = 0
      let result = EVP_DigestFinal_ex(context, buffer.baseAddress, &length)
      precondition(result == 1, "libcrypto fails to digest")
      count = Int(length)
    }
  }
}
