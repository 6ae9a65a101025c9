import Arrays

/// What it costs to continue tracks with the cells of a frame, end them or begin new ones.
///
/// A square matrix: rows are the tracks, then a birth for each cell; columns are the cells, then a
/// death for each track. Most of it is the same number, so only the matches are kept.
struct LinkCosts {
  let tracks: Int
  let cells: Int
  /// `[track, cell]`, and the same the other way around.
  private let matches: [Float]
  private let transposed: [Float]
  private let birth: Float
  private let death: Float

  /// - Parameters:
  ///   - probabilities: `[track, cell, 3]`, of which the first says that they are the same.
  ///   - isCapped: of each track.
  init(
    _ probabilities: UnsafeBufferPointer<Float>, cells: Int, isCapped: [Bool],
    _ parameters: TrackingParameters
  ) {
    let tracks = isCapped.count
    var matches = [Float](repeating: 1, count: tracks * cells)
    var transposed = matches
    for track in 0..<tracks where !isCapped[track] {
      for cell in 0..<cells {
        let cost = Float(1 - Double(probabilities[3 * (track * cells + cell)]))
        matches[track * cells + cell] = cost
        transposed[cell * tracks + track] = cost
      }
    }
    (self.tracks, self.cells) = (tracks, cells)
    (self.matches, self.transposed) = (matches, transposed)
    // Rounded as the reference's matrix is when the diagonal is put into it.
    birth = Float((parameters.birth + 1) - 1)
    death = Float((parameters.death + 1) - 1)
  }

  var size: Int { tracks + cells }

  func write(_ row: Int, to line: UnsafeMutableBufferPointer<Double>) {
    let (split, isTrack) = (cells, row < tracks)
    for column in 0..<size {
      line[column] = 1
    }
    if isTrack {
      for cell in 0..<cells { line[cell] = Double(matches[row * cells + cell]) }
      line[split + row] = Double(death)
    } else {
      let cell = row - tracks
      line[cell] = Double(birth)
      for track in 0..<tracks { line[split + track] = Double(transposed[cell * tracks + track]) }
    }
  }

  /// The column of each row.
  func assignment() throws -> [Int] {
    var assignment = LinearAssignment(rows: size, columns: size)
    for row in 0..<size {
      try Task.checkCancellation()
      assignment.insert(row, costs: write)
    }
    return assignment.columnOfRow
  }
}
