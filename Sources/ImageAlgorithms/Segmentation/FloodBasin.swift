import Arrays

/// The landscape of a watershed while it is flooded.
struct FloodBasin {
  /// The label of pixels that are never flooded: the mask's outside and a border of one pixel.
  static let outside = UInt32.max

  enum Outcome { case complete, ambiguous }

  private let rows: Int
  private let columns: Int
  /// Pixels per row with the border.
  private let width: Int
  private let storage: ArrayStorage
  /// Key in the high half, label in the low one, so that a step touches one line of the cache; with
  /// a border of one pixel, so that it needs no test for the edge.
  private let cells: UnsafeMutablePointer<UInt64>
  private let kind: ReliefKind

  init(rows: Int, columns: Int, kind: ReliefKind) {
    self.kind = kind
    (self.rows, self.columns, width) = (rows, columns, columns + 2)
    let count = (rows + 2) * width
    storage = ArrayStorage(byteCount: count * MemoryLayout<UInt64>.stride)
    cells = storage.bytes.baseAddress!.assumingMemoryBound(to: UInt64.self)
    for x in 0..<width {
      cells[x] = UInt64(Self.outside)
      cells[count - 1 - x] = UInt64(Self.outside)
    }
    for row in 1..<(rows + 1) {
      cells[row * width] = UInt64(Self.outside)
      cells[row * width + columns + 1] = UInt64(Self.outside)
    }
  }

  /// Sets a pixel of the image: 0 or ``outside``, and what decides when it is flooded.
  @inline(__always)
  func set(_ column: Int, _ row: Int, label: UInt32, key: UInt32) {
    cells[(row &+ 1) &* width &+ column &+ 1] = UInt64(key) << 32 | UInt64(label)
  }

  /// Makes a pixel a marker, unless it is outside.
  @inline(__always)
  func mark(_ column: Int, _ row: Int, label: Int32) {
    let pixel = (row &+ 1) &* width &+ column &+ 1
    if self.label(cells[pixel]) != Self.outside { cells[pixel] |= UInt64(label) }
  }

  /// The labels without the border.
  func labels() -> NDArray<Int32> {
    NDArray(uninitialized: [rows, columns]) { output in
      for row in 0..<rows {
        let from = cells + ((row + 1) * width + 1)
        let to = output.baseAddress! + row * columns
        for x in 0..<columns {
          let label = UInt32(truncatingIfNeeded: from[x])
          to[x] = label == Self.outside ? 0 : Int32(bitPattern: label)
        }
      }
    }
  }

  @inline(__always) private func label(_ cell: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: cell)
  }
  @inline(__always) private func key(_ pixel: Int) -> UInt32 {
    UInt32(truncatingIfNeeded: cells[pixel] >> 32)
  }

  /// Calls `body` for each pixel, its key and label, that is inside the mask, row by row.
  @inline(__always)
  private func forEachInside(_ body: (_ pixel: Int, _ key: UInt32, _ label: UInt32) -> Void) {
    for row in 1..<(rows + 1) {
      for pixel in (row * width + 1)..<(row * width + 1 + columns) {
        let cell = cells[pixel]
        if label(cell) != Self.outside {
          body(pixel, UInt32(truncatingIfNeeded: cell >> 32), label(cell))
        }
      }
    }
  }

  /// Labels those of the four neighbours that have no label yet, in the order up, left, right, down.
  @inline(__always)
  private func spread(from pixel: Int, _ body: (_ neighbour: Int, _ key: UInt32) -> Void) {
    let own = UInt64(label(cells[pixel]))
    @inline(__always) func reach(_ neighbour: Int) {
      let cell = cells[neighbour]
      if label(cell) == 0 {
        cells[neighbour] = cell | own
        body(neighbour, UInt32(truncatingIfNeeded: cell >> 32))
      }
    }
    reach(pixel &- width)
    reach(pixel &- 1)
    reach(pixel &+ 1)
    reach(pixel &+ width)
  }

  // MARK: In the order of a heap

  /// Floods with one heap, whose layout decides between markers of equal height.
  func floodInHeapOrder() {
    var heap = FloodHeap()
    forEachInside { pixel, key, label in
      if label > 0 { heap.push(FloodHeap.Entry(key: key, age: 0, pixel: Int32(pixel))) }
    }
    var age: UInt32 = 1
    while !heap.isEmpty {
      let pixel = Int(heap.pop().pixel)
      spread(from: pixel) { neighbour, key in
        age &+= 1
        heap.push(FloodHeap.Entry(key: key, age: age, pixel: Int32(truncatingIfNeeded: neighbour)))
      }
    }
  }

  // MARK: With bands

  /// Floods the connected parts of the mask one after the other, unless the order of markers of
  /// equal height matters in one; then the labels are incomplete.
  ///
  /// Parts do not influence each other, and one that fits into the cache is flooded several times
  /// faster. In most there are markers of one label only, which needs no flood at all.
  func flood() -> Outcome {
    var components = RunComponents(rows: rows, columns: columns, connectivity: .four) { row, x in
      label(cells[(row &+ 1) &* width &+ x &+ 1]) != Self.outside
    }
    var queue = FloodQueue()
    for part in components.grouped() {
      let summary = summary(of: part)
      guard let label = summary.label else { continue }
      if summary.isUniform {
        fill(part, with: label)
      } else if flood(part, summary, &queue) == .ambiguous {
        return .ambiguous
      }
    }
    return .complete
  }

  /// What is to know about a part before it is flooded.
  private struct Summary {
    var pixels = 0
    var leastKey = UInt32.max
    var greatestKey = UInt32.min
    /// A label in it; nil if there is no marker.
    var label: UInt32?
    /// Whether all markers have that label.
    var isUniform = true
  }

  /// Calls `body` with the first and the last pixel of each run.
  @inline(__always)
  private func forEachRun(
    of part: ArraySlice<RunComponents.Run>, _ body: (_ first: Int, _ last: Int) -> Void
  ) {
    for run in part {
      let line = (Int(run.row) &+ 1) &* width &+ 1
      body(line &+ Int(run.start), line &+ Int(run.end) &- 1)
    }
  }

  private func summary(of part: ArraySlice<RunComponents.Run>) -> Summary {
    var summary = Summary()
    forEachRun(of: part) { first, last in
      summary.pixels += last - first + 1
      for pixel in first...last {
        summary.leastKey = min(summary.leastKey, key(pixel))
        summary.greatestKey = max(summary.greatestKey, key(pixel))
        let label = label(cells[pixel])
        if label == 0 { continue }
        if summary.label == nil { summary.label = label }
        if summary.label != label { summary.isUniform = false }
      }
    }
    return summary
  }

  private func fill(_ part: ArraySlice<RunComponents.Run>, with label: UInt32) {
    forEachRun(of: part) { first, last in
      for pixel in first...last { cells[pixel] = UInt64(label) }
    }
  }

  private func flood(
    _ part: ArraySlice<RunComponents.Run>, _ summary: Summary, _ queue: inout FloodQueue
  ) -> Outcome {
    queue.restart(
      bands: FloodBands(
        keys: summary.leastKey...summary.greatestKey, kind: kind, pixels: summary.pixels))
    forEachRun(of: part) { first, last in
      for pixel in first...last where label(cells[pixel]) > 0 && canSpread(from: pixel) {
        // A marker amid its own kind has nothing to flood, ever.
        queue.pushMarker(Int32(truncatingIfNeeded: pixel), key: key(pixel))
      }
    }
    // Many pixels are surrounded by the time they are due. Asking that of a whole band at once also
    // gets its neighbourhoods into the cache together instead of one after the other.
    while queue.advance(key: { canSpread(from: $0) ? key($0) : nil }) {
      while let entry = queue.least {
        _ = queue.pop()
        if entry.age == 0, let next = queue.least, next.priority == entry.priority {
          if floodTied(entry, &queue) == .ambiguous { return .ambiguous }
        } else {
          spread(from: Int(entry.pixel)) { queue.push(Int32(truncatingIfNeeded: $0), key: $1) }
        }
      }
    }
    return .complete
  }

  /// Whether one of the four neighbours has no label yet.
  @inline(__always)
  private func canSpread(from pixel: Int) -> Bool {
    min(
      min(label(cells[pixel &- width]), label(cells[pixel &+ width])),
      min(label(cells[pixel &- 1]), label(cells[pixel &+ 1]))) == 0
  }

  /// Floods from markers of equal height one after the other, each as far as it gets below that
  /// height, and proves that any other order would have led to the same.
  ///
  /// It would if no marker's flood meets a pixel of another's, and no two of them leave pixels of
  /// equal height waiting: then labels are the same, and so is the order of all that waits.
  private func floodTied(
    _ first: FloodHeap.Entry, _ queue: inout FloodQueue
  ) -> Outcome {
    let limit = 4096
    var markers = [first.pixel]
    while let next = queue.least, next.priority == first.priority {
      markers.append(queue.pop().pixel)
    }
    if markers.count > limit { return .ambiguous }

    var owners: [Int: Int] = [:]
    var waiting: [(key: UInt32, owner: Int)] = []
    func meetsAnother(_ pixel: Int, _ owner: Int) -> Bool {
      [pixel - width, pixel - 1, pixel + 1, pixel + width].contains {
        owners[$0].map { $0 != owner } ?? false
      }
    }
    for (owner, marker) in markers.enumerated() {
      var pixel = Int(marker)
      while true {
        if meetsAnother(pixel, owner) || owners.count > limit { return .ambiguous }
        spread(from: pixel) { neighbour, key in
          owners[neighbour] = owner
          if key >= first.key { waiting.append((key, owner)) }
          queue.push(Int32(truncatingIfNeeded: neighbour), key: key)
        }
        guard let next = queue.least, next.key < first.key else { break }
        pixel = Int(queue.pop().pixel)
      }
    }
    waiting.sort { $0.key < $1.key }
    let isAmbiguous = zip(waiting, waiting.dropFirst()).contains {
      $0.key == $1.key && $0.owner != $1.owner
    }
    return isAmbiguous ? .ambiguous : .complete
  }
}
