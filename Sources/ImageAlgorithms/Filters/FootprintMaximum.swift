import Arrays

/// Greatest value in the neighbourhood of each pixel, computed one row at a time.
///
/// A footprint is a stack of horizontal stretches. The maxima over stretches of each length that occurs
/// are made once per row, from maxima over 2, 4, 8, ... pixels, and kept for as many rows as the
/// footprint is high. So a pixel costs a comparison for each row of the footprint instead of one for each of
/// its pixels, and all of them run over whole rows, which the compiler turns into vector code.
///
/// Pixels outside the image do not take part.
struct FootprintMaximum<Pixel: RealPixel>: ~Copyable {
  private let footprint: Footprint
  private let rows: Int
  private let columns: Int
  /// The different lengths, shortest first.
  private let reaches: [Int]
  /// For each row of the footprint which of `reaches` it has.
  private let kinds: [Int]
  /// Row maxima: `[row % depth][kind][column]`.
  private let band: UnsafeMutablePointer<Pixel>
  private let depth: Int
  /// One row with room on both sides, at least as wide as the footprint, filled with the lowest value.
  private let padded: UnsafeMutablePointer<Pixel>
  private let margin: Int
  private let paddedCount: Int
  private var loaded = 0

  init(footprint: Footprint, rows: Int, columns: Int) {
    self.footprint = footprint
    self.rows = rows
    self.columns = columns
    let reaches = Set(footprint.reach).sorted()
    self.reaches = reaches
    kinds = footprint.reach.map { reaches.firstIndex(of: $0)! }
    depth = min(2 * footprint.radius + 1, max(rows, 1))
    band = .allocate(capacity: max(depth * reaches.count * columns, 1))
    margin = footprint.radius
    paddedCount = columns + 2 * footprint.radius
    padded = .allocate(capacity: max(2 * paddedCount, 1))
  }

  deinit {
    band.deallocate()
    padded.deallocate()
  }

  /// Writes the maxima around the pixels of `row`; rows are asked for in order.
  ///
  /// - Parameter source: writes the values of one row of the image.
  @inline(__always)
  mutating func maxima(
    ofRow row: Int, into output: UnsafeMutablePointer<Pixel>,
    source: (_ row: Int, _ values: UnsafeMutablePointer<Pixel>) -> Void
  ) {
    while loaded < rows && loaded <= row + footprint.radius {
      source(loaded, padded + margin)
      makeRowMaxima(of: loaded)
      loaded += 1
    }
    let first = max(row - footprint.radius, 0)
    let last = min(row + footprint.radius, rows - 1)
    func line(_ r: Int) -> UnsafePointer<Pixel> {
      let kind = kinds[r - row + footprint.radius]
      return UnsafePointer(band + ((r % depth) * reaches.count + kind) * columns)
    }
    output.update(from: line(row), count: columns)
    // Four rows at a time: the running maximum is then loaded and stored less often.
    var r = first
    while r + 3 <= last {
      let (a, b, c, d) = (line(r), line(r + 1), line(r + 2), line(r + 3))
      for x in 0..<columns {
        let ab = greater(a[x], b[x])
        let cd = greater(c[x], d[x])
        output[x] = greater(output[x], greater(ab, cd))
      }
      r += 4
    }
    while r <= last {
      let a = line(r)
      for x in 0..<columns { output[x] = greater(output[x], a[x]) }
      r += 1
    }
  }

  @inline(__always) private func greater(_ a: Pixel, _ b: Pixel) -> Pixel { a > b ? a : b }

  /// Makes the maxima over stretches of all lengths of the row that lies in `padded`.
  @inline(__always)
  private func makeRowMaxima(of row: Int) {
    let lowest = -Pixel.infinity
    padded.update(repeating: lowest, count: margin)
    (padded + margin + columns).update(repeating: lowest, count: margin)
    var span = 1
    var current = padded
    var other = padded + paddedCount
    for (kind, reach) in reaches.enumerated() {
      let length = 2 * reach + 1
      // `current[i]` is the maximum of `span` values from `i` on.
      while 2 * span <= length {
        let count = paddedCount - 2 * span + 1
        for i in 0..<max(count, 0) { other[i] = greater(current[i], current[i + span]) }
        // From here on both buffers are used; nothing reads the plain row again.
        swap(&current, &other)
        span *= 2
      }
      let target = band + ((row % depth) * reaches.count + kind) * columns
      let left = UnsafePointer(current + margin - reach)
      let right = UnsafePointer(current + margin + reach + 1 - span)
      for x in 0..<columns { target[x] = greater(left[x], right[x]) }
    }
  }
}

/// The greatest value in a footprint around each pixel; `rows` times `columns` of them.
@inline(__always)
func greatest<Pixel: RealPixel>(
  of image: NDArray<Pixel>, in footprint: Footprint
) -> NDArray<Pixel> {
  let (rows, columns) = (image.shape[0], image.shape[1])
  var maximum = FootprintMaximum<Pixel>(footprint: footprint, rows: rows, columns: columns)
  return NDArray(uninitialized: image.shape) { output in
    image.withUnsafeBuffer { input in
      guard !input.isEmpty else { return }
      for row in 0..<rows {
        maximum.maxima(ofRow: row, into: output.baseAddress! + row * columns) { row, values in
          values.update(from: input.baseAddress! + row * columns, count: columns)
        }
      }
    }
  }
}
