import Arrays

/// A cell as it was last seen, and where it was before.
struct TrackedCell {
  let features: CellFeatures
  /// Row and column in the last frame.
  let place: (row: Float, column: Float)
  /// Where it will be if it goes on as in its last frames.
  let expectedPlace: (row: Float, column: Float)

  /// What a track without frames knows.
  private static let unseen = TrackedCell(
    features: CellFeatures(values: Array(repeating: 0, count: CellFeatures.count)), place: (0, 0),
    expectedPlace: (0, 0))

  /// Steps that a velocity is taken from.
  private static let memory = 3
  /// How much of a velocity is kept from one frame to the next.
  private static let persistence: Float = 0.6

  /// - Parameters:
  ///   - embeddings: `[frame, track, feature]`, the latest frame at the end; a track that is shorter
  ///     repeats its last.
  ///   - centroids: `[frame, track, axis]`.
  static func tracks(embeddings: NDArray<Float>, centroids: NDArray<Float>) -> [TrackedCell] {
    let (frames, count) = (embeddings.shape[0], embeddings.shape[1])
    guard frames > 0 else { return Array(repeating: .unseen, count: count) }
    let last = embeddings.slice(frames - 1).elements
    let places = centroids.elements
    return (0..<count).map { track in
      func place(_ frame: Int) -> (row: Float, column: Float) {
        let i = 2 * (frame * count + track)
        return (places[i], places[i + 1])
      }
      let now = place(frames - 1)
      var latest = frames - 1
      while latest > 0, place(latest - 1) == now { latest -= 1 }
      let first = max(latest - memory, 0)
      let steps = Float(max(latest - first, 1))
      let velocity = (
        row: (now.row - place(first).row) / steps,
        column: (now.column - place(first).column) / steps
      )
      return TrackedCell(
        features: CellFeatures(
          values: Array(last[track * CellFeatures.count..<(track + 1) * CellFeatures.count])),
        place: now,
        expectedPlace: (
          now.row + persistence * velocity.row, now.column + persistence * velocity.column
        ))
    }
  }
}
