/// A sum over bytes that come piece by piece.
///
/// A value: a copy goes its own way.
struct Checksum: Sendable {
  let algorithm: ChecksumAlgorithm
  private var crc: UInt64 = 0
  private var digest: Digest?

  /// - Throws: ``BucketError`` `invalidRequest` when the system's cryptography refuses the algorithm,
  ///   as it does MD5 in FIPS mode.
  init(_ algorithm: ChecksumAlgorithm) throws(BucketError) {
    self.algorithm = algorithm
    if algorithm.crc == nil { digest = try Digest(algorithm) }
  }

  mutating func update(with bytes: UnsafeRawBufferPointer) {
    guard !bytes.isEmpty else { return }
    if let polynomial = algorithm.crc {
      crc = polynomial.update(crc, with: bytes)
    } else {
      if !isKnownUniquelyReferenced(&digest) { digest = digest?.copy() }
      digest?.update(with: bytes)
    }
  }

  mutating func update(with bytes: some Collection<UInt8>) {
    let isDone: Void? = bytes.withContiguousStorageIfAvailable { update(with: .init($0)) }
    if isDone == nil { Array(bytes).withUnsafeBytes { update(with: $0) } }
  }

  /// The sum of all bytes so far; more may follow.
  var value: ChecksumValue {
    if let digest { return ChecksumValue(algorithm, digest.copy().finish()) }
    return ChecksumValue(algorithm, crc: crc)
  }

  /// The sum of bytes in memory.
  static func value(
    of bytes: some Collection<UInt8>, by algorithm: ChecksumAlgorithm
  ) throws(BucketError) -> ChecksumValue {
    var checksum = try Checksum(algorithm)
    checksum.update(with: bytes)
    return checksum.value
  }
}
