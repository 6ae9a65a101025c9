import Arrays

/// The frames of a movie and the cells in them.
struct MovieCells: Sendable {
  /// `[frame, row, column]`
  let raw: NDArray<Float>
  /// The same shape: cells of a frame are numbered by their labels, from 1; 0 is background.
  let ranks: NDArray<Int32>
  /// How many cells each frame has.
  let counts: [Int]
  /// The cells of each frame by their number.
  private let cells: [[CellMeasures]]

  /// Cells that the model sees at once: their neighbourhood is a square matrix.
  static let mostCells = 5000

  /// - Parameters:
  ///   - raw: `[frame, row, column, 1]`, finite.
  ///   - labels: the same shape, 0 or more.
  init(raw: NDArray<Float>, labels: NDArray<Int32>) throws(ImageError) {
    try requireRank(4, of: raw, named: "the movie", axes: "frame, row, column, channel")
    guard raw.shape[3] == 1 else {
      throw ImageError(
        .invalidChannels,
        "the movie has \(raw.shape[3]) channels; cells are tracked in movies of one")
    }
    try requireShape(raw.shape, of: labels, named: "the labels")
    try requirePixels(raw)
    try requireFinitePixels(raw)
    self.raw = raw.channel(0)
    let labels = labels.channel(0)
    let (frames, size) = (raw.shape[0], raw.shape[1] * raw.shape[2])
    var counts: [Int] = []
    ranks = try NDArray(uninitialized: labels.shape) { (output) throws(ImageError) in
      for frame in 0..<frames {
        let ranked = try RankedLabels(labels.slice(frame))
        guard ranked.names.count <= Self.mostCells else {
          throw ImageError(
            .tooLarge,
            "frame \(frame), counted from 0, has \(ranked.names.count) cells; at most "
              + "\(Self.mostCells) can be tracked; crop the movie")
        }
        counts.append(ranked.names.count)
        ranked.ranks.withUnsafeBuffer {
          _ = output[(frame * size)...].update(fromContentsOf: $0)
        }
      }
    }
    self.counts = counts
    cells = counts.enumerated().map { [ranks] in CellMeasures.all(in: ranks.slice($0), count: $1) }
  }

  var frameCount: Int { counts.count }
  /// The most cells of any frame.
  var mostCellsOfFrame: Int { counts.max() ?? 0 }

  func measures(of frame: Int) -> FrameMeasures {
    FrameMeasures(ranks: ranks.slice(frame), cells: cells[frame])
  }
}
