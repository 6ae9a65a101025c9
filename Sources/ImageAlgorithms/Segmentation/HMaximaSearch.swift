/// Finds h-maxima by proof and refutation instead of reconstructing the image.
///
/// The definition reconstructs the image from seeds (its pixels lowered by h) by dilating with the
/// disk under the image until nothing changes, and takes the pixels that stay h below the image.
/// A pixel is such a top exactly if no seed above its ceiling can be reached from it in steps
/// within the disk over pixels above that ceiling. That decides each pixel on its own:
///
/// 1. One step decides nearly all: the greatest seed in the disk around the pixel. Neighbouring
///    pixels of one value that remain form a ``Candidate``.
/// 2. The others are decided by a flood each, ending at the first seed above the ceiling.
///
/// Floods run by descending ceiling and share what they find, so that plateaus and quantised images
/// take linear time: where one was refuted, every later one that arrives is refuted too, and the
/// pixels visited by one that was not share its answer if their ceiling is the same. What is left to
/// repeat are floods of one region from tops that differ by less than the tolerance of the
/// seeds, some thirty different numbers at most.
struct HMaximaSearch<Pixel: RealPixel> {
  let levels: HMaximaLevels<Pixel>
  let disk: Footprint
  let columns: Int

  /// Adjacent pixels of one row and value that may be a top.
  struct Candidate {
    let row: Int32
    let start: Int32
    /// One past the last column.
    let end: Int32
    let ceiling: Pixel
  }

  @inline(__always)
  func mark(in image: UnsafeBufferPointer<Pixel>, into tops: UnsafeMutableBufferPointer<Bool>) {
    var candidates = candidates(in: image)
    func accept(_ candidate: Candidate) {
      let row = Int(candidate.row) * columns
      for x in Int(candidate.start)..<Int(candidate.end) { tops[row + x] = true }
    }
    if disk.radius == 0 {
      // There are no steps to take: the first test was the whole truth.
      for candidate in candidates { accept(candidate) }
      return
    }
    candidates.sort { $0.ceiling > $1.ceiling }
    var flood = HMaximaFlood(
      image: image.baseAddress!, rows: image.count / columns, columns: columns, disk: disk,
      levels: levels)
    for candidate in candidates where flood.isTop(candidate) { accept(candidate) }
  }

  /// The pixels that no seed within the disk refutes.
  @inline(__always)
  private func candidates(in image: UnsafeBufferPointer<Pixel>) -> [Candidate] {
    let rows = image.count / columns
    var maximum = FootprintMaximum<Pixel>(footprint: disk, rows: rows, columns: columns)
    var candidates: [Candidate] = []
    let greatest = UnsafeMutablePointer<Pixel>.allocate(capacity: columns)
    defer { greatest.deallocate() }
    // Room to read whole words.
    let flags = UnsafeMutablePointer<UInt8>.allocate(capacity: columns + 8)
    defer { flags.deallocate() }
    flags.initialize(repeating: 0, count: columns + 8)
    let height = levels.height

    for row in 0..<rows {
      maximum.maxima(ofRow: row, into: greatest) { row, seeds in
        let values = image.baseAddress! + row * columns
        for x in 0..<columns { seeds[x] = levels.seed(values[x]) }
      }
      let values = image.baseAddress! + row * columns
      for x in 0..<columns {
        let reached = greatest[x] < values[x] ? greatest[x] : values[x]
        flags[x] = values[x] - reached >= height ? 1 : 0
      }
      var x = 0
      while x < columns {
        if UnsafeRawPointer(flags + x).loadUnaligned(as: UInt64.self) == 0 {
          x += 8
          continue
        }
        guard flags[x] != 0 else {
          x += 1
          continue
        }
        let start = x
        let value = values[x]
        while x < columns, flags[x] != 0, values[x] == value { x += 1 }
        candidates.append(
          Candidate(
            row: Int32(row), start: Int32(start), end: Int32(x), ceiling: levels.ceiling(value)))
      }
    }
    return candidates
  }
}
