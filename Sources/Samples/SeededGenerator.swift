import Glibc

/// Random numbers that are the same for the same seed.
///
/// - Source: SplitMix64, Steele, Lea and Flood, 2014.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: Int) {
    state = UInt64(bitPattern: Int64(seed))
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// Bytes of any value.
  public mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &self) }
  }

  /// A normal number of mean 0 and variance 1.
  ///
  /// - Source: Box and Muller, *A Note on the Generation of Random Normal Deviates* (1958).
  package mutating func normal() -> Float {
    let radius = (-2 * log(Float.random(in: .leastNormalMagnitude..<1, using: &self))).squareRoot()
    return radius * cos(Float.random(in: 0..<2 * .pi, using: &self))
  }

  /// A direction: a vector of length 1.
  package mutating func direction() -> (row: Float, column: Float) {
    let angle = Float.random(in: 0..<2 * .pi, using: &self)
    return (sin(angle), cos(angle))
  }
}
