import Arrays

/// Finds the values at given places of what would be a sorted list of all values, without sorting.
///
/// Two counts of 16 bits each: first the upper half of a value's bits is looked for, then the lower.
struct OrderStatistics {
  /// How many values take part.
  let count: Int
  private let values: UnsafeBufferPointer<Float>
  private let countsZeros: Bool
  /// How many of them have each upper half.
  private let uppers: [Int]

  /// - Parameters:
  ///   - values: without NaN.
  ///   - countsZeros: whether values that are 0 take part.
  init(of values: UnsafeBufferPointer<Float>, countsZeros: Bool) {
    self.values = values
    self.countsZeros = countsZeros
    var uppers = [Int](repeating: 0, count: 1 << 16)
    uppers.withUnsafeMutableBufferPointer { uppers in
      for value in values where countsZeros || value != 0 {
        uppers[Int(value.orderedBits >> 16)] &+= 1
      }
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
      for value in values
      where (countsZeros || value != 0) && Int(value.orderedBits >> 16) == upper {
        lowers[Int(value.orderedBits & 0xFFFF)] &+= 1
      }
    }
    let (lower, _) = Self.find(rest, in: lowers)
    return Float(orderedBits: UInt64(upper << 16 | lower))
  }

  /// The value below which `percentile` per cent of the values lie, between two of them in proportion.
  ///
  /// - Parameter percentile: 0...100; there is at least one value.
  /// - Source: numpy 1.23, `percentile` on 32-bit floats, bit by bit.
  func percentile(_ percentile: Double) -> Double {
    let position = Double(count - 1) * (percentile / 100)
    let floor = Int(position.rounded(.down))
    let share = position - Double(floor)
    let lower = value(at: floor)
    let upper = value(at: min(floor + 1, count - 1))
    // The difference is one of 32-bit floats, the rest is in 64 bits; this decides the last bit.
    let difference = Double(upper - lower)
    return share < 0.5
      ? Double(lower) + difference * share : Double(upper) - difference * (1 - share)
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
