/// The floods that decide the candidates of an ``HMaximaSearch``, and what they have found so far.
///
/// A flood advances by horizontal runs: stepping from a run to all pixels in reach looks at one or
/// two words of a bitmap per row of the disk, and at each pixel once.
struct HMaximaFlood<Pixel: RealPixel>: ~Copyable {
  private let image: UnsafePointer<Pixel>
  private let rows: Int
  private let columns: Int
  private let disk: Footprint
  private let levels: HMaximaLevels<Pixel>
  private let wordsPerRow: Int

  /// Pixels the running flood has looked at.
  private var seen: PixelSet
  /// Pixels from which a seed above every ceiling still to come can be reached.
  private var refuted: PixelSet
  /// Pixels visited by floods from tops with the ceiling `provenCeiling`.
  private var proven: PixelSet
  private var provenCeiling: Pixel = 0
  /// What the running flood has visited, in order.
  private var visited: [Run] = []

  private struct Run {
    let row: Int32
    let first: Int32
    let last: Int32
  }

  init(
    image: UnsafePointer<Pixel>, rows: Int, columns: Int, disk: Footprint,
    levels: HMaximaLevels<Pixel>
  ) {
    (self.image, self.rows, self.columns) = (image, rows, columns)
    (self.disk, self.levels) = (disk, levels)
    wordsPerRow = PixelSet.wordsPerRow(columns: columns)
    seen = PixelSet(words: rows * wordsPerRow)
    refuted = PixelSet(words: rows * wordsPerRow)
    proven = PixelSet(words: rows * wordsPerRow)
  }

  /// Whether no seed above its ceiling is in reach of a candidate; ceilings never rise from call to
  /// call.
  @inline(__always)
  mutating func isTop(_ candidate: HMaximaSearch<Pixel>.Candidate) -> Bool {
    let word = Int(candidate.row) * wordsPerRow + Int(candidate.start) / 64
    let bit = UInt64(1) << UInt64(candidate.start % 64)
    if refuted[word] & bit != 0 { return false }
    if candidate.ceiling != provenCeiling {
      proven.removeAll()
      provenCeiling = candidate.ceiling
    }
    return proven[word] & bit != 0 || flood(from: candidate)
  }

  @inline(__always)
  private mutating func flood(from candidate: HMaximaSearch<Pixel>.Candidate) -> Bool {
    seen.removeAll()
    visited.removeAll(keepingCapacity: true)
    let origin = Run(row: candidate.row, first: candidate.start, last: candidate.end - 1)
    visited.append(origin)
    for (word, bits) in words(of: origin) { seen.insert(bits, at: word) }

    var next = 0
    var isRefuted = false
    while next < visited.count && !isRefuted {
      isRefuted = step(from: visited[next], above: candidate.ceiling)
      next += 1
    }
    for run in visited {
      for (word, bits) in words(of: run) {
        if isRefuted { refuted.insert(bits, at: word) } else { proven.insert(bits, at: word) }
      }
    }
    return !isRefuted
  }

  /// Visits what is in reach of a run and above the ceiling; true if that refutes the candidate.
  @inline(__always)
  private mutating func step(from run: Run, above ceiling: Pixel) -> Bool {
    let row = Int(run.row)
    for y in max(row - disk.radius, 0)...min(row + disk.radius, rows - 1) {
      let reach = disk.reach[y - row + disk.radius]
      let first = max(Int(run.first) - reach, 0)
      let last = min(Int(run.last) + reach, columns - 1)
      for index in (first >> 6)...(last >> 6) {
        let word = y &* wordsPerRow &+ index
        let fresh = PixelSet.mask(index, from: first, through: last) & ~seen[word]
        if fresh == 0 { continue }
        if fresh & refuted[word] != 0 { return true }
        seen.insert(fresh, at: word)
        if look(at: fresh, row: y, column: index &* 64, above: ceiling) { return true }
      }
    }
    return false
  }

  /// Visits those of up to 64 pixels that are above the ceiling; true if one of them is a seed
  /// above it.
  @inline(__always)
  private mutating func look(
    at fresh: UInt64, row: Int, column: Int, above ceiling: Pixel
  ) -> Bool {
    var rest = fresh
    let values = image + (row * columns + column)
    while rest != 0 {
      var x = rest.trailingZeroBitCount
      let first = x
      while x < 64, rest &>> UInt64(x) & 1 != 0, values[x] > ceiling {
        if levels.seed(values[x]) > ceiling { return true }
        x += 1
      }
      if x > first {
        visited.append(
          Run(row: Int32(row), first: Int32(column + first), last: Int32(column + x - 1)))
      }
      // Also past the pixel that ended the run, which is not above the ceiling or not fresh.
      rest = x >= 63 ? 0 : rest & (~0 &<< UInt64(x + 1))
    }
    return false
  }

  /// The words of a bitmap a run lies in, and its bits there.
  @inline(__always)
  private func words(of run: Run) -> some Sequence<(word: Int, bits: UInt64)> {
    let (first, last) = (Int(run.first), Int(run.last))
    let start = Int(run.row) * wordsPerRow
    return ((first >> 6)...(last >> 6)).lazy.map {
      (start + $0, PixelSet.mask($0, from: first, through: last))
    }
  }
}
