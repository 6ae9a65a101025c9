import Arrays

/// Which pixels touch: those that share an edge, or those that share an edge or a corner.
public enum Connectivity: Sendable, Hashable, CaseIterable {
  case four, eight
}

/// Numbered regions of an image.
public struct LabelImage: Sendable, Equatable {
  /// `[row, column]`; 0 is background.
  public let labels: NDArray<Int32>
  /// The greatest label; 0 when there are none.
  public let count: Int

  public init(labels: NDArray<Int32>, count: Int) {
    self.labels = labels
    self.count = count
  }
}

/// Numbers the connected regions of a mask.
///
/// - Parameters:
///   - mask: `[row, column]`.
///   - connectivity: which pixels of a region touch.
/// - Returns: labels 1... in the order of each region's first pixel, row by row.
/// - Throws: ``ImageError`` when the rank is not 2 or the mask has 2^31 pixels or more.
/// - Source: the numbering of scikit-image 0.21 `label` and scipy 1.10 `ndimage.label`.
public func connectedComponents(
  _ mask: NDArray<Bool>, connectivity: Connectivity
) throws(ImageError) -> LabelImage {
  try requireRank(2, of: mask, named: "the mask", axes: "row, column")
  try requireIndexable(mask.shape)
  let columns = mask.shape[1]
  var runs = mask.withUnsafeBuffer {
    RunComponents(of: $0, columns: columns, connectivity: connectivity)
  }
  let count = runs.number()
  var labels = NDArray<Int32>(shape: mask.shape)
  labels.withUnsafeMutableBuffer { labels in
    runs.forEachPixel { labels[$1 &* columns &+ $0] = $2 }
  }
  return LabelImage(labels: labels, count: count)
}

/// Refuses images whose pixels cannot be numbered with `Int32`.
func requireIndexable(_ shape: Shape) throws(ImageError) {
  guard let count = shape.checkedElementCount, count < Int(Int32.max) else {
    throw ImageError(
      .tooLarge, "an image of shape \(shape.tupleDescription) has too many pixels to be labelled")
  }
}

/// The horizontal runs of a mask, joined to components.
struct RunComponents {
  private(set) var runs: [Run] = []
  /// For each run one above it in its component, itself for the first; later its label.
  private var parents: [Int32] = []

  struct Run {
    let row: Int32
    let start: Int32
    /// One past the last column.
    let end: Int32
  }

  /// The components of a mask.
  init(of mask: UnsafeBufferPointer<Bool>, columns: Int, connectivity: Connectivity) {
    let bytes = UnsafeRawBufferPointer(mask)
    self.init(
      rows: mask.count / max(columns, 1), columns: columns, connectivity: connectivity,
      isEmpty: { row, x in
        // Masks are mostly empty: look at eight pixels at once.
        bytes.loadUnaligned(fromByteOffset: row &* columns &+ x, as: UInt64.self) == 0
      },
      isSet: { row, x in mask[row &* columns &+ x] })
  }

  /// The components of the pixels for which `isSet` is true.
  ///
  /// - Parameter isEmpty: whether it is known to be false for eight pixels from one on.
  @inline(__always)
  init(
    rows: Int, columns: Int, connectivity: Connectivity,
    isEmpty: (_ row: Int, _ column: Int) -> Bool = { _, _ in false },
    isSet: (_ row: Int, _ column: Int) -> Bool
  ) {
    // Runs that only meet at a corner end where the other begins.
    let reach: Int32 = connectivity == .eight ? 1 : 0
    var previous = 0..<0
    for row in 0..<rows {
      let first = runs.count
      var x = 0
      while x < columns {
        if x &+ 8 <= columns, isEmpty(row, x) {
          x &+= 8
          continue
        }
        guard isSet(row, x) else {
          x &+= 1
          continue
        }
        let start = x
        repeat { x &+= 1 } while x < columns && isSet(row, x)
        runs.append(Run(row: Int32(row), start: Int32(start), end: Int32(x)))
        parents.append(Int32(parents.count))
      }
      joinRuns(first..<runs.count, to: previous, reach: reach)
      previous = first..<runs.count
    }
  }

  /// Joins the runs of a row to those they touch in the row above.
  private mutating func joinRuns(_ current: Range<Int>, to previous: Range<Int>, reach: Int32) {
    var above = previous.lowerBound
    for index in current {
      let run = runs[index]
      while above < previous.upperBound, runs[above].end + reach <= run.start { above += 1 }
      var other = above
      while other < previous.upperBound, runs[other].start < run.end + reach {
        join(Int32(other), Int32(index))
        other += 1
      }
    }
  }

  /// The first run of the component, with the way to it made shorter.
  private mutating func root(_ run: Int32) -> Int32 {
    var run = run
    while parents[Int(run)] != run {
      parents[Int(run)] = parents[Int(parents[Int(run)])]
      run = parents[Int(run)]
    }
    return run
  }

  private mutating func join(_ a: Int32, _ b: Int32) {
    let (a, b) = (root(a), root(b))
    // The lower index stays on top: a component is numbered where its first run is.
    if a < b { parents[Int(b)] = a } else { parents[Int(a)] = b }
  }

  /// Replaces each run's parent by its label, and tells how many components there are.
  mutating func number() -> Int {
    var count: Int32 = 0
    for run in runs.indices {
      let parent = Int(parents[run])
      if parent == run {
        count += 1
        parents[run] = count
      } else {
        // Parents come first, so this one holds its label already.
        parents[run] = parents[parent]
      }
    }
    return Int(count)
  }

  /// Calls `body` with each pixel and its label; ``number()`` has been called.
  @inline(__always)
  func forEachPixel(_ body: (_ column: Int, _ row: Int, _ label: Int32) -> Void) {
    for (run, label) in zip(runs, parents) {
      for x in Int(run.start)..<Int(run.end) { body(x, Int(run.row), label) }
    }
  }

  /// The labels of all components that have at least `minimumArea` pixels; those of smaller ones are
  /// missing from the numbering.
  mutating func labels(rows: Int, columns: Int, minimumArea: Int) -> NDArray<Int32> {
    let count = number()
    var areas = [Int](repeating: 0, count: count + 1)
    for (run, label) in zip(runs, parents) { areas[Int(label)] += Int(run.end - run.start) }
    var labels = NDArray<Int32>(shape: [rows, columns])
    labels.withUnsafeMutableBuffer { labels in
      for (run, label) in zip(runs, parents) where areas[Int(label)] >= minimumArea {
        let line = Int(run.row) * columns
        labels[(line + Int(run.start))..<(line + Int(run.end))].update(repeating: label)
      }
    }
    return labels
  }

  /// The runs of each component, row by row.
  mutating func grouped() -> [ArraySlice<Run>] {
    let count = number()
    var starts = [Int](repeating: 0, count: count + 2)
    for label in parents { starts[Int(label) + 1] += 1 }
    for label in 1..<(count + 2) { starts[label] += starts[label - 1] }
    var next = starts
    let sorted = [Run](unsafeUninitializedCapacity: runs.count) { sorted, initialized in
      for (run, label) in zip(runs, parents) {
        (sorted.baseAddress! + next[Int(label)]).initialize(to: run)
        next[Int(label)] += 1
      }
      initialized = runs.count
    }
    return (0..<count).map { sorted[starts[$0 + 1]..<starts[$0 + 2]] }
  }
}
