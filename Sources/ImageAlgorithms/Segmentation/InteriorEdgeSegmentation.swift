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
    var cells = try connectedComponents(seeds.map { $0 != 0 }, connectivity: .eight).labels
    let room = interior.map { $0 >= interiorThreshold ? Int32(-1) : 0 }
    for _ in 0..<8 {
      try Task.checkCancellation()
      cells = grown(grown(cells, within: room), within: room)
      cells = eroded(cells)
    }
    cells = grown(grown(cells, within: room), within: room)
    for _ in 0..<2 {
      try Task.checkCancellation()
      cells = eroded(eroded(grown(cells, within: nil)))
    }
    return cells
  }
}

/// Gives free pixels the greatest label above, left, right or below them.
///
/// - Parameter room: -1 where pixels may be taken, else 0; nil if they may be anywhere.
private func grown(_ labels: NDArray<Int32>, within room: NDArray<Int32>?) -> NDArray<Int32> {
  guard let room else {
    return byNeighbours(labels) { label, a, b, c, d, _ in
      label == 0 ? max(max(a, b), max(c, d)) : label
    }
  }
  return room.withUnsafeBuffer { room in
    byNeighbours(labels) { label, a, b, c, d, index in
      label == 0 ? max(max(a, b), max(c, d)) & room[index] : label
    }
  }
}

/// Frees pixels that have a lesser label, or none, above, left, right or below them.
private func eroded(_ labels: NDArray<Int32>) -> NDArray<Int32> {
  byNeighbours(labels) { label, a, b, c, d, _ in
    min(min(a, b), min(c, d)) < label ? 0 : label
  }
}

/// Each pixel from itself and its four neighbours, those beyond the edge being the pixel itself.
@inline(__always)
private func byNeighbours(
  _ labels: NDArray<Int32>,
  _ change: (_ label: Int32, Int32, Int32, Int32, Int32, _ index: Int) -> Int32
) -> NDArray<Int32> {
  let (rows, columns) = (labels.shape[0], labels.shape[1])
  return NDArray(uninitialized: labels.shape) { output in
    labels.withUnsafeBuffer { input in
      guard let input = input.baseAddress, let output = output.baseAddress, columns > 0 else {
        return
      }
      for row in 0..<rows {
        let line = row * columns
        let label = input + line
        let above = input + max(row - 1, 0) * columns
        let below = input + min(row + 1, rows - 1) * columns
        let target = output + line
        func edge(_ x: Int) {
          target[x] = change(
            label[x], above[x], label[max(x - 1, 0)], label[min(x + 1, columns - 1)], below[x],
            line + x)
        }
        edge(0)
        for x in 1..<max(columns - 1, 1) {
          target[x] = change(
            label[x], above[x], label[x &- 1], label[x &+ 1], below[x], line &+ x)
        }
        edge(columns - 1)
      }
    }
  }
}
