import Arrays

/// Finds the values at given places of what would be a sorted list of all values but 0, without
/// sorting.
///
/// Two counts of 16 bits each: first the upper half of a value's bits is looked for, then the lower.
struct OrderStatistics {
  /// How many values are not 0.
  let count: Int
  private let values: UnsafeBufferPointer<Float>
  /// How many of them have each upper half.
  private let uppers: [Int]

  /// - Parameter values: without NaN.
  init(of values: UnsafeBufferPointer<Float>) {
    self.values = values
    var uppers = [Int](repeating: 0, count: 1 << 16)
    uppers.withUnsafeMutableBufferPointer { uppers in
      for value in values where value != 0 { uppers[Int(value.orderedBits >> 16)] &+= 1 }
    }
    self.uppers = uppers
    count = uppers.reduce(0, +)
  }

  /// The value that has `rank` values before it; `0..<count`.
  func value(at rank: Int) -> Float {
    precondition(rank >= 0 && rank < count, "no value \(rank) among \(count)")
    let (upper, rest) = Self.find(rank, in: uppers)
    var lowers = [Int](repeating: 0, count: 1 << 16)
    lowers.withUnsafeMutableBufferPointer { lowers in
      for value in values where value != 0 && Int(value.orderedBits >> 16) == upper {
        lowers[Int(value.orderedBits & 0xFFFF)] &+= 1
      }
    }
    let (lower, _) = Self.find(rest, in: lowers)
    return Float(orderedBits: UInt64(upper << 16 | lower))
  }

  /// The bin that holds the value with `rank` values before it, and how many of these are in the bin.
  private static func find(_ rank: Int, in counts: [Int]) -> (bin: Int, rest: Int) {
    var rest = rank
    for (bin, count) in counts.enumerated() {
      if rest < count { return (bin, rest) }
      rest -= count
    }
    preconditionFailure("rank \(rank) beyond the counted values")
  }
}
