/// What the cells of a frame become: continuations, births and daughters.
struct FrameLinks {
  let frame: Int
  let cells: Int
  /// `[track, cell, 3]` for the tracks there were before the frame.
  let probabilities: UnsafeBufferPointer<Float>
  /// How probable it must be that a new cell is a daughter.
  let division: Double

  /// - Parameters:
  ///   - columns: of each track there was, then of each birth: a cell, or none from `cells` on.
  ///   - labels: of the cells by their rank, from 1.
  func apply(_ columns: [Int], to tracks: inout [CellTrack], labels: inout [Int32]) {
    let known = tracks.count
    for (row, cell) in columns.enumerated() where cell < cells {
      if row < known {
        tracks[row].append(frame: frame, rank: cell)
        labels[cell + 1] = Int32(tracks[row].label)
      } else {
        begin(cell, parent: parent(of: cell, among: tracks[..<known]), &tracks, &labels)
      }
    }
    for index in tracks.indices where !tracks[index].daughters.isEmpty {
      divide(index, &tracks, &labels)
    }
  }

  private func begin(
    _ cell: Int, parent: Int?, _ tracks: inout [CellTrack], _ labels: inout [Int32]
  ) {
    var track = CellTrack(label: tracks.count + 1, frame: frame, rank: cell)
    if let parent {
      track.parent = tracks[parent].label
      tracks[parent].daughters.append(track.label)
    }
    labels[cell + 1] = Int32(track.label)
    tracks.append(track)
  }

  /// The track that a new cell is most probably a daughter of; the first of equal ones.
  private func parent(of cell: Int, among tracks: ArraySlice<CellTrack>) -> Int? {
    var best: Int?
    var highest = division
    for index in tracks.indices where !tracks[index].isCapped {
      let probability = Double(probabilities[3 * (index * cells + cell) + 2])
      if probability > highest { (best, highest) = (index, probability) }
    }
    return best
  }

  /// Ends a track that has daughters now. If a cell of the frame continued it, that is a daughter too.
  private func divide(_ index: Int, _ tracks: inout [CellTrack], _ labels: inout [Int32]) {
    guard !tracks[index].isCapped else { return }
    tracks[index].isCapped = true
    tracks[index].divisionFrame = frame
    guard tracks[index].frames.last == frame, let rank = tracks[index].ranks.last else { return }
    tracks[index].removeLast()
    begin(rank, parent: index, &tracks, &labels)
  }
}
