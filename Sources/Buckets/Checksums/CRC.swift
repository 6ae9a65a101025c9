import CChecksums

/// The arithmetic of one cyclic redundancy check.
///
/// Bytes go through carry-less multiplication where the processor has it, 20 GB/s and more, and
/// through tables elsewhere.
final class CRC: Sendable {
  static let crc32 = CRC(reversed: 0xedb8_8320, width: 32)
  /// Castagnoli's polynomial.
  static let crc32c = CRC(reversed: 0x82f6_3b78, width: 32)
  static let crc64nvme = CRC(reversed: 0x9a6c_9329_ac4b_c9b5, width: 64)

  nonisolated(unsafe) private let polynomial: OpaquePointer  // never changes once it is made

  private init(reversed: UInt64, width: CInt) {
    guard let polynomial = crc_polynomial_create(reversed, width) else {
      fatalError("no memory for the tables of a CRC")
    }
    self.polynomial = polynomial
  }

  deinit { crc_polynomial_destroy(polynomial) }

  /// The checksum of what `checksum` belongs to followed by `bytes`; that of nothing is 0.
  func update(_ checksum: UInt64, with bytes: UnsafeRawBufferPointer) -> UInt64 {
    crc_update(polynomial, checksum, bytes.baseAddress, bytes.count)
  }

  func updateByTable(_ checksum: UInt64, with bytes: UnsafeRawBufferPointer) -> UInt64 {
    crc_update_by_table(polynomial, checksum, bytes.baseAddress, bytes.count)
  }

  /// The checksum of two pieces in a row.
  func combine(_ first: UInt64, _ second: UInt64, ofBytes secondCount: Int) -> UInt64 {
    crc_combine(polynomial, first, second, UInt64(secondCount))
  }
}
