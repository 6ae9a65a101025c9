import Arrays
import Foundation

/// Tells what the cells of one frame are to the tracks of those before: by where they are, how large and
/// bright, and by their looks.
///
/// Each way to explain what is seen has a score, the logarithm of how much likelier it makes this than if
/// the cells had nothing to do with each other. A cell is the same in so far as this explains it better
/// than all other tracks, and the track better than all other cells. Two cells are daughters in so far as
/// a division explains both better than one of them being the same.
struct TrackLinker {
  private let tracks: [TrackedCell]
  private let cells: [TrackedCell]

  /// Of a cell that is where it was, as it was.
  private static let sameScore: Float = 4.5
  /// Of two daughters that are just as expected: divisions are rare.
  private static let divisionScore: Float = 6
  /// Of a cell that comes from nowhere, or a track that ends.
  private static let strangerScore: Float = -3
  /// Less is as good as nothing.
  private static let leastScore: Float = -12
  /// Radii that a cell moves in a frame, as a standard deviation; and what of its distance to the next.
  private static let (motion, motionShare): (ClosedRange<Float>, Float) = (0.6...1.2, 0.3)
  /// Standard deviations of the logarithm of the radius, of brightness and of eccentricity.
  private static let (sizeChange, brightnessChange, shapeChange): (Float, Float, Float) =
    (0.2, 0.15, 0.4)
  /// What one of opposite looks is less than one of the same.
  private static let looksWeight: Float = 1
  /// Daughters lie within so many radii of their mother, and only the nearest are looked at.
  private static let (daughterReach, daughterCount): (Float, Int) = (3, 10)

  init(tracks: [TrackedCell], cells: [TrackedCell]) {
    self.tracks = tracks
    self.cells = cells
  }

  /// - Returns: `[1, track, cell, class]`: same, different, daughter; they sum to 1.
  func probabilities() throws -> NDArray<Float> {
    let scores = Scores(tracks, cells)
    let links = scores.links()
    var result = NDArray<Float>(shape: [1, tracks.count, cells.count, 3])
    for track in tracks.indices {
      if track.isMultiple(of: 64) { try Task.checkCancellation() }
      let daughters = divisions(of: track, scores)
      let division = daughters.max() ?? 0
      result.withUnsafeMutableBuffer { result in
        for cell in cells.indices {
          let same = links[track * cells.count + cell] * (1 - division)
          let daughter = daughters[cell] * (1 - same)
          let i = (track * cells.count + cell) * 3
          result[i] = same
          result[i + 1] = max(1 - same - daughter, 0)
          result[i + 2] = daughter
        }
      }
    }
    return result
  }

  /// How likely each cell is a daughter of a track.
  private func divisions(of track: Int, _ scores: Scores) -> [Float] {
    var daughters = [Float](repeating: 0, count: cells.count)
    let mother = tracks[track]
    guard mother.features.isCell else { return daughters }
    let reach = Self.daughterReach * mother.features.radius
    let near = cells.indices.filter {
      cells[$0].features.isCell
        && Self.squaredDistance(mother.place, cells[$0].place) <= reach * reach
    }.sorted {
      Self.squaredDistance(mother.place, cells[$0].place)
        < Self.squaredDistance(mother.place, cells[$1].place)
    }.prefix(Self.daughterCount)
    for (position, first) in near.enumerated() {
      for second in near.dropFirst(position + 1) {
        let pair = (first, second)
        let score = divisionScore(mother, cells[first], cells[second])
        guard score > 0 else { continue }
        let others = [
          scores[track, first] + scores.elsewhere(second, but: track, pair),
          scores[track, second] + scores.elsewhere(first, but: track, pair),
          scores.elsewhere(first, but: track, pair) + scores.elsewhere(second, but: track, pair)
            + Self.strangerScore,
        ]
        let probability = 1 / (1 + others.reduce(Float(0)) { $0 + exp($1 - score) })
        daughters[first] = max(daughters[first], probability)
        daughters[second] = max(daughters[second], probability)
      }
    }
    return daughters
  }

  /// Daughters are as large as their mother together and each about half, lie on both sides of
  /// where it was, and are as bright as each other.
  private func divisionScore(
    _ mother: TrackedCell, _ first: TrackedCell, _ second: TrackedCell
  ) -> Float {
    let radius = mother.features.radius
    let (a, b) = (first.features, second.features)
    let middle = (
      row: (first.place.row + second.place.row) / 2,
      column: (first.place.column + second.place.column) / 2
    )
    let off = min(
      Self.squaredDistance(mother.place, middle), Self.squaredDistance(mother.expectedPlace, middle)
    )
    let growth = log((a.radius * a.radius + b.radius * b.radius) / (radius * radius))
    let apart = Self.squaredDistance(first.place, second.place).squareRoot() / radius
    return Self.divisionScore - off / (2 * pow(0.45 * radius, 2))
      - Self.penalty(growth, 0.3)
      - Self.penalty(2 * log(a.radius / b.radius), 0.4)
      - Self.penalty(max(apart - 2, 0), 0.4)
      - Self.penalty(Self.brightnessDifference(a, b), Self.brightnessChange)
  }

  private static func penalty(_ difference: Float, _ deviation: Float) -> Float {
    difference * difference / (2 * deviation * deviation)
  }

  private static func squaredDistance(
    _ a: (row: Float, column: Float), _ b: (row: Float, column: Float)
  ) -> Float {
    let (y, x) = (a.row - b.row, a.column - b.column)
    return y * y + x * x
  }

  /// As a share of what is there; crops that were made alike have none.
  private static func brightnessDifference(_ a: CellFeatures, _ b: CellFeatures) -> Float {
    let sum = abs(a.brightness) + abs(b.brightness) + a.contrast + b.contrast
    return sum > 0 ? 2 * abs(a.brightness - b.brightness) / sum : 0
  }

  /// How well each cell goes on a track.
  private struct Scores {
    private let values: [Float]
    private let trackCount: Int
    private let cellCount: Int
    /// The three best cells of each track, best first, so that one is left without a pair.
    private let bestCells: [[Int]]
    /// The tracks that may be of each cell.
    private let tracksOfCell: [[Int]]

    init(_ tracks: [TrackedCell], _ cells: [TrackedCell]) {
      (trackCount, cellCount) = (tracks.count, cells.count)
      let values = tracks.flatMap { track in cells.map { Self.score(track, $0) } }
      let cellCount = cells.count
      self.values = values
      bestCells = tracks.indices.map { track in
        Array(
          cells.indices.filter { values[track * cellCount + $0] > leastScore }
            .sorted { values[track * cellCount + $0] > values[track * cellCount + $1] }.prefix(3))
      }
      tracksOfCell = cells.indices.map { cell in
        tracks.indices.filter { values[$0 * cellCount + cell] > leastScore }
      }
    }

    subscript(track: Int, cell: Int) -> Float { values[track * cellCount + cell] }

    private static func score(_ track: TrackedCell, _ cell: TrackedCell) -> Float {
      let (before, now) = (track.features, cell.features)
      guard before.isCell, now.isCell else { return leastScore }
      let room = before.spacing > 0 ? motionShare * before.spacing : .infinity
      let motion =
        before.radius * min(max(room / before.radius, motion.lowerBound), motion.upperBound)
      let off = min(
        squaredDistance(track.place, cell.place), squaredDistance(track.expectedPlace, cell.place))
      let near = sameScore - off / (2 * motion * motion)
      guard near > leastScore else { return leastScore }
      return max(
        near - penalty(log(now.radius / before.radius), sizeChange)
          - penalty(brightnessDifference(before, now), brightnessChange)
          - penalty(now.eccentricity - before.eccentricity, shapeChange)
          - penalty(log(max(now.raggedness, 0.1) / max(before.raggedness, 0.1)), sizeChange)
          - looksWeight * (1 - before.correlation(now)) / 2, leastScore)
    }

    /// The score of a cell without a track: of the best other one, less what that gives up for it, or
    /// that of a stranger.
    func elsewhere(_ cell: Int, but track: Int, _ pair: (Int, Int)) -> Float {
      var best = strangerScore
      for other in tracksOfCell[cell] where other != track {
        let given = bestCells[other].first { $0 != pair.0 && $0 != pair.1 }
        best = max(best, self[other, cell] - max(given.map { self[other, $0] } ?? 0, 0))
      }
      return best
    }

    /// How likely each cell is the same as each track: by its share of what the track may be times
    /// that of what the cell may be, nothing being one more of both.
    func links() -> [Float] {
      let odds = values.map { $0 > leastScore ? exp($0) : 0 }
      var ofTrack = [Float](repeating: 1, count: trackCount)
      var ofCell = [Float](repeating: 1, count: cellCount)
      for i in odds.indices {
        ofTrack[i / cellCount] += odds[i]
        ofCell[i % cellCount] += odds[i]
      }
      return odds.indices.map {
        odds[$0] / ofTrack[$0 / cellCount] * (odds[$0] / ofCell[$0 % cellCount])
      }
    }
  }
}
