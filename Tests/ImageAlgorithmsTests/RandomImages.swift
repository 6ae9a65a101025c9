import Arrays

/// Random images that are the same for a seed on every machine.
struct RandomImages: RandomNumberGenerator {
  private var state: UInt64

  init(seed: Int) { state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func integer(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
  mutating func unit() -> Float { Float.random(in: 0..<1, using: &self) }

  /// A size with few pixels; often a single row or column.
  mutating func size(upTo limit: Int = 24) -> (rows: Int, columns: Int) {
    switch integer(0...7) {
    case 0: (1, integer(1...limit))
    case 1: (integer(1...limit), 1)
    default: (integer(2...limit), integer(2...limit))
    }
  }

  /// Noise, hills, or either of them quantised into plateaus.
  mutating func map(_ rows: Int, _ columns: Int) -> NDArray<Float> {
    let hills = (0..<integer(1...6)).map { _ in
      (row: unit() * Float(rows), column: unit() * Float(columns), width: 1 + 4 * unit())
    }
    let isNoise = integer(0...2) == 0
    let levels: Float = [0, 0, 4, 10, 2][integer(0...4)]
    let noise = [0, 0.05, 1e-6][integer(0...2)] as Float
    let elements = (0..<(rows * columns)).map { index -> Float in
      let (row, column) = (Float(index / columns), Float(index % columns))
      var value =
        isNoise
        ? unit()
        : hills.map { hill in
          let (y, x) = (row - hill.row, column - hill.column)
          return max(0, 1 - (y * y + x * x).squareRoot() / (3 * hill.width))
        }.max() ?? 0
      value += noise * unit()
      return levels > 0 ? (value * levels).rounded() / levels : value
    }
    var image = NDArray(shape: [rows, columns], elements: elements)
    // Accidental ties: a few pixels with the value of another.
    for _ in 0..<[0, 0, rows * columns / 10][integer(0...2)] {
      image[integer(0...rows - 1), integer(0...columns - 1)] =
        image[integer(0...rows - 1), integer(0...columns - 1)]
    }
    return image
  }

  mutating func mask(_ rows: Int, _ columns: Int) -> NDArray<Bool> {
    let density = unit()
    return NDArray(
      shape: [rows, columns], elements: (0..<(rows * columns)).map { _ in unit() < density })
  }

  /// Blocks of a few labels, with holes and scattered parts.
  mutating func labels(_ rows: Int, _ columns: Int) -> NDArray<Int32> {
    var labels = NDArray<Int32>(shape: [rows, columns])
    for _ in 0..<integer(0...8) {
      let label = Int32(integer(0...5))
      let (top, left) = (integer(0...rows - 1), integer(0...columns - 1))
      for row in top...min(top + integer(0...8), rows - 1) {
        for column in left...min(left + integer(0...8), columns - 1) where unit() < 0.9 {
          labels[row, column] = label
        }
      }
    }
    return labels
  }
}
