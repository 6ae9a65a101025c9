/// What a ``Checksum`` came to.
struct ChecksumValue: Sendable, Hashable, CustomStringConvertible {
  let algorithm: ChecksumAlgorithm
  /// Most significant byte first.
  let bytes: [UInt8]

  /// - Parameter bytes: as many as the algorithm makes.
  init(_ algorithm: ChecksumAlgorithm, _ bytes: [UInt8]) {
    precondition(bytes.count == algorithm.byteCount, "\(algorithm) has no \(bytes.count) bytes")
    self.algorithm = algorithm
    self.bytes = bytes
  }

  init(_ algorithm: ChecksumAlgorithm, crc: UInt64) {
    let shifts = stride(from: (algorithm.byteCount - 1) * 8, through: 0, by: -8)
    self.init(algorithm, shifts.map { UInt8(truncatingIfNeeded: crc >> UInt64($0)) })
  }

  /// Reads what a store says. Nil for anything but the canonical base64 of a value of its size, also
  /// for the sums of sums (`…-N`) that S3 gives objects of several parts.
  init?(base64: String, _ algorithm: ChecksumAlgorithm) {
    guard let bytes = Base64.decode(base64), bytes.count == algorithm.byteCount else { return nil }
    self.init(algorithm, bytes)
  }

  var base64: String { Base64.encode(bytes) }
  /// Lower-case digits.
  var hexadecimal: String { Hexadecimal.encode(bytes) }
  var description: String { "\(algorithm.rawValue) \(hexadecimal)" }

  /// The sum of what this one is of, followed by what `next` is of. Both are CRCs of one kind.
  ///
  /// - Parameter byteCount: of what `next` is the sum of.
  func appending(_ next: ChecksumValue, ofBytes byteCount: Int) -> ChecksumValue {
    guard let crc = algorithm.crc, next.algorithm == algorithm else {
      preconditionFailure("\(algorithm) and \(next.algorithm) cannot be combined")
    }
    return ChecksumValue(
      algorithm, crc: crc.combine(number, next.number, ofBytes: byteCount))
  }

  private var number: UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
}
