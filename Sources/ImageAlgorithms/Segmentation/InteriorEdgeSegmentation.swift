import Arrays

/// Labels cells from a model that tells their edges from their interiors, and grows them into their
/// edges.
///
/// - Parameters:
///   - scores: `[batch, row, column, channel]`, 2 channels or more: 0 is high at edges, 1 in interiors;
///     both finite.
///   - edgeThreshold: pixels with at least this score are edges.
///   - interiorThreshold: pixels with at least this score may belong to cells.
///   - minimumArea: pixels; smaller interiors are ignored.
/// - Returns: `[batch, row, column, 1]`; 0 is background, labels are 1... per item.
/// - Throws: ``ImageError`` when shapes or values do not allow it; `CancellationError` between the
///   steps.
/// - Source: deepcell-toolbox 0.12, `mibi`, pixel by pixel; labels above 65535 start again from 0 there.
public func interiorEdgeSegmentation(
  _ scores: NDArray<Float>, edgeThreshold: Float = 0.25, interiorThreshold: Float = 0.25,
  minimumArea: Int = 50
) throws -> NDArray<Int32> {
  try labelledItems(of: scores, minimumChannels: 2) { item in
    let (rows, columns) = (item.rows, item.columns)
    let interior = try item.channel(1)
    let seeds = try item.channel(0).withUnsafeBuffer { edge in
      interior.withUnsafeBuffer { interior in
        var components = RunComponents(
          rows: rows, columns: columns, connectivity: .four,
          isSet: { row, x in
            let i = row &* columns &+ x
            return interior[i] >= interiorThreshold && edge[i] < edgeThreshold
          })
        return components.labels(rows: rows, columns: columns, minimumArea: minimumArea)
      }
    }
    // Regions that only touch at a corner are one cell, but each must be large enough.
    let cells = try connectedComponents(seeds.map { $0 != 0 }, connectivity: .eight).labels
    var growth = CellGrowth(cells, room: interior.map { $0 >= interiorThreshold ? -1 : 0 })
    for _ in 0..<8 {
      try Task.checkCancellation()
      growth.growInRoom()
      growth.growInRoom()
      growth.shrink()
    }
    growth.growInRoom()
    growth.growInRoom()
    for _ in 0..<2 {
      try Task.checkCancellation()
      growth.grow()
      growth.shrink()
      growth.shrink()
    }
    return growth.labels
  }
}

/// Labels, `[row, column]`, that grow and shrink by a pixel at a time.
private struct CellGrowth {
  private(set) var labels: NDArray<Int32>
  /// What the labels of the next step are written to.
  private var next: NDArray<Int32>
  /// -1 where there is room for cells, else 0.
  private let room: NDArray<Int32>

  init(_ labels: NDArray<Int32>, room: NDArray<Int32>) {
    self.labels = labels
    self.room = room
    next = NDArray(shape: labels.shape)
  }

  /// Gives free pixels the greatest label above, left, right or below them.
  mutating func grow() {
    change { label, a, b, c, d, _ in label == 0 ? max(max(a, b), max(c, d)) : label }
  }

  /// ``grow()`` where there is room.
  mutating func growInRoom() {
    room.withUnsafeBuffer { room in
      change { label, a, b, c, d, index in
        label == 0 ? max(max(a, b), max(c, d)) & room[index] : label
      }
    }
  }

  /// Frees pixels that have a lesser label, or none, above, left, right or below them.
  mutating func shrink() {
    change { label, a, b, c, d, _ in min(min(a, b), min(c, d)) < label ? 0 : label }
  }

  /// Makes each pixel from itself and its four neighbours, those beyond the edge being the pixel itself.
  @inline(__always)
  private mutating func change(
    _ body: (_ label: Int32, Int32, Int32, Int32, Int32, _ index: Int) -> Int32
  ) {
    let (rows, columns) = (labels.shape[0], labels.shape[1])
    guard rows > 0, columns > 0 else { return }
    labels.withUnsafeBuffer { input in
      next.withUnsafeMutableBuffer { output in
        for row in 0..<rows {
          let line = row * columns
          let label = input.baseAddress! + line
          let above = input.baseAddress! + max(row - 1, 0) * columns
          let below = input.baseAddress! + min(row + 1, rows - 1) * columns
          let target = output.baseAddress! + line
          func edge(_ x: Int) {
            target[x] = body(
              label[x], above[x], label[max(x - 1, 0)], label[min(x + 1, columns - 1)], below[x],
              line + x)
          }
          edge(0)
          for x in 1..<max(columns - 1, 1) {
            target[x] = body(
              label[x], above[x], label[x &- 1], label[x &+ 1], below[x], line &+ x)
          }
          edge(columns - 1)
        }
      }
    }
    swap(&labels, &next)
  }
}
