import CDeflate

/// Random numbers that are the same for the same seed.
///
/// - Source: SplitMix64, Steele, Lea and Flood, 2014.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: Int) { state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }

  /// A number in `0..<bound`; the slight bias does not matter, the speed without optimisation does.
  mutating func below(_ bound: Int) -> Int { Int(truncatingIfNeeded: next() >> 33) % max(bound, 1) }
}

/// Makes a corrupted file of valid ones; the same one for the same seed.
struct Corruptor {
  private let format: Format
  private let files: [(bytes: [UInt8], headers: [Range<Int>])]

  init(format: Format) throws {
    self.format = format
    files = try format.validFiles().map { ($0, format.headers(of: $0)) }
  }

  func file(seed: Int) -> [UInt8] {
    var generator = SplitMix64(seed: seed)
    let (original, headers) = files[generator.below(files.count)]
    var bytes = original
    // Most changes are few, or nothing would get past the first check.
    for _ in 0...(generator.below(2) == 0 ? 0 : generator.below(4)) where !bytes.isEmpty {
      var position = generator.below(bytes.count)
      if generator.below(3) > 0, let header = headers[safe: generator.below(headers.count)] {
        position = min(header.lowerBound + generator.below(header.count), bytes.count - 1)
      }
      change(&bytes, at: position, &generator)
    }
    if generator.below(8) > 0 { format.repairChecksums(in: &bytes) }
    return bytes
  }

  private func change(_ bytes: inout [UInt8], at position: Int, _ generator: inout SplitMix64) {
    let rest = bytes.count - position
    let length = 1 + generator.below(generator.below(4) == 0 ? rest : min(rest, 16))
    let range = position..<min(position + length, bytes.count)
    switch generator.below(16) {
    case 0...3: bytes[position] ^= 1 << UInt8(generator.below(8))
    case 4...5: bytes[position] = UInt8(generator.below(256))
    case 6...9: overwrite(&bytes, at: position, &generator)
    case 10: bytes.removeSubrange(position...)
    case 11: bytes.removeSubrange(range)
    case 12: bytes.insert(contentsOf: Array(bytes[range]), at: position)
    case 13:
      // Swaps two ranges of one length.
      let other = generator.below(bytes.count - range.count + 1)
      let moved = Array(bytes[range])
      let replaced = Array(bytes[other..<other + range.count])
      bytes.replaceSubrange(range, with: replaced)
      bytes.replaceSubrange(other..<other + range.count, with: moved)
    case 14:
      // The start of this file with the end of another.
      let other = files[generator.below(files.count)].bytes
      bytes.replaceSubrange(position..., with: other[min(position, other.count)...])
    default:
      let fill: UInt8 = generator.below(2) == 0 ? 0 : 0xFF
      bytes.replaceSubrange(range, with: repeatElement(fill, count: range.count))
    }
  }

  /// Numbers at which counts and positions go wrong.
  private static let numbers: [UInt64] = [
    0, 1, 2, 3, 7, 8, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x1_0000, 0x00FF_FFFF,
    0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x1_0000_0000, 0x7FFF_FFFF_FFFF_FFFF,
    0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFF,
  ]

  private func overwrite(
    _ bytes: inout [UInt8], at position: Int, _ generator: inout SplitMix64
  ) {
    var number = Self.numbers[generator.below(Self.numbers.count)]
    if generator.below(4) == 0 { number = UInt64(bytes.count + generator.below(9)) }
    let size = [1, 2, 4, 8][generator.below(4)]
    let isLittle = generator.below(2) == 0
    for i in 0..<min(size, bytes.count - position) {
      let shift = UInt64(8 * (isLittle ? i : size - 1 - i))
      bytes[position + i] = UInt8(truncatingIfNeeded: number >> shift)
    }
  }
}

func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
  bytes.withUnsafeBytes { libdeflate_crc32(0, $0.baseAddress, $0.count) }
}

extension Array {
  fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
