import Arrays

/// Cells that fill the space around their middles up to a radius, or half way to the next cell.
struct CellField {
  struct Seed {
    let row: Float
    let column: Float
    let radius: Float

    func squaredDistance(row: Float, column: Float) -> Float {
      let (y, x) = (self.row - row, self.column - column)
      return y * y + x * x
    }
  }

  /// `[row, column]`, 0 is background; the cell of the first seed is 1.
  let labels: NDArray<Int32>
  /// `[row, column]`, how far a pixel of a cell is from its border; 0 outside.
  let depth: NDArray<Float>
  /// How far each seed is from the border of its cell, but for the bends.
  let room: [Float]

  /// - Parameters:
  ///   - side: pixels of the field along each axis.
  ///   - bends: `[row, column]` each, by which rows and columns are moved.
  init(_ seeds: [Seed], side: Int, bends: [NDArray<Float>]) throws {
    let reach = seeds.map(\.radius).max() ?? 1
    var grid = SeedGrid(side: side, pitch: reach)
    for seed in seeds { grid.insert(seed) }

    var labels = NDArray<Int32>(shape: [side, side])
    var depth = NDArray<Float>(shape: [side, side])
    labels.withUnsafeMutableBuffer { labels in
      depth.withUnsafeMutableBuffer { depth in
        bends[0].withUnsafeBuffer { rowBends in
          bends[1].withUnsafeBuffer { columnBends in
            for i in labels.indices {
              let row = Float(i / side) + rowBends[i]
              let column = Float(i % side) + columnBends[i]
              guard let found = Self.owner(row, column, grid) else { continue }
              labels[i] = Int32(found.index + 1)
              depth[i] = found.depth
            }
          }
        }
      }
    }
    self.labels = labels
    self.depth = depth
    room = seeds.indices.map { index in
      let seed = seeds[index]
      var nearest = Float.infinity
      grid.forEachSeed(near: (seed.row, seed.column), reach: 2) { other in
        guard other != index else { return }
        nearest = min(nearest, seeds[other].squaredDistance(row: seed.row, column: seed.column))
      }
      return min(seed.radius, nearest.squareRoot() / 2)
    }
  }

  private static func owner(
    _ row: Float, _ column: Float, _ grid: SeedGrid
  ) -> (index: Int, depth: Float)? {
    var nearest = (index: -1, square: Float.infinity)
    var second = nearest
    grid.forEachSeed(near: (row, column), reach: 2) { index in
      let square = grid.seeds[index].squaredDistance(row: row, column: column)
      if square < nearest.square {
        (nearest, second) = ((index, square), nearest)
      } else if square < second.square {
        second = (index, square)
      }
    }
    guard nearest.index >= 0 else { return nil }
    let own = grid.seeds[nearest.index]
    var depth = own.radius - nearest.square.squareRoot()
    if second.index >= 0 {
      let other = grid.seeds[second.index]
      let apart = own.squaredDistance(row: other.row, column: other.column).squareRoot()
      depth = min(depth, (second.square - nearest.square) / (2 * apart))
    }
    return depth > 0 ? (nearest.index, depth) : nil
  }
}

/// Seeds by place, so that those near a point are found at once.
struct SeedGrid {
  private(set) var seeds: [CellField.Seed] = []
  private var buckets: [[Int]]
  private let pitch: Float
  private let width: Int

  /// - Parameter pitch: side of a bucket in pixels.
  init(side: Int, pitch: Float) {
    self.pitch = pitch
    width = Int(Float(side) / pitch) + 1
    buckets = Array(repeating: [], count: width * width)
  }

  private func bucket(_ position: Float) -> Int {
    min(max(Int(position / pitch), 0), width - 1)
  }

  /// Adds a seed unless one is nearer to it than the pitch.
  mutating func add(_ seed: CellField.Seed) {
    var isFree = true
    forEachSeed(near: (seed.row, seed.column), reach: 1) { other in
      let square = seeds[other].squaredDistance(row: seed.row, column: seed.column)
      if square < pitch * pitch { isFree = false }
    }
    if isFree { insert(seed) }
  }

  mutating func insert(_ seed: CellField.Seed) {
    buckets[bucket(seed.row) * width + bucket(seed.column)].append(seeds.count)
    seeds.append(seed)
  }

  /// Calls `body` with the index of each seed within `reach` times the pitch, and some beyond.
  func forEachSeed(
    near point: (row: Float, column: Float), reach: Int, _ body: (_ index: Int) -> Void
  ) {
    let (y, x) = (bucket(point.row), bucket(point.column))
    for row in max(y - reach, 0)...min(y + reach, width - 1) {
      for column in max(x - reach, 0)...min(x + reach, width - 1) {
        for index in buckets[row * width + column] { body(index) }
      }
    }
  }
}
