/// One cell, from its birth or first appearance to its division, death or last appearance.
public struct CellTrack: Sendable, Equatable {
  /// 1... in the order of the tracks.
  public let label: Int
  /// Those in which it was seen, increasing; there may be gaps.
  public internal(set) var frames: [Int] = []
  /// Labels of the cells that it became.
  public internal(set) var daughters: [Int] = []
  /// Whether it has ended by a division.
  public internal(set) var isCapped = false
  /// The first frame of its daughters.
  public internal(set) var divisionFrame: Int?
  /// The label of the cell that it was.
  public internal(set) var parent: Int?
  /// Its rank in each of the frames.
  var ranks: [Int] = []

  init(label: Int, frame: Int, rank: Int) {
    self.label = label
    append(frame: frame, rank: rank)
  }

  mutating func append(frame: Int, rank: Int) {
    frames.append(frame)
    ranks.append(rank)
  }

  mutating func removeLast() {
    frames.removeLast()
    ranks.removeLast()
  }
}

/// What became of the cells of a movie, in the order of their labels.
public struct Lineage: Sendable, Equatable {
  public let tracks: [CellTrack]

  /// A JSON object of the tracks by their labels, as Python's `json` writes it.
  public var json: String {
    let members = tracks.map { track in
      let values = [
        "\"label\": \(track.label)", "\"frames\": \(track.frames)",
        "\"daughters\": \(track.daughters)", "\"capped\": \(track.isCapped)",
        "\"frame_div\": \(Self.text(track.divisionFrame))",
        "\"parent\": \(Self.text(track.parent))",
      ]
      return "\"\(track.label)\": {\(values.joined(separator: ", "))}"
    }
    return "{\(members.joined(separator: ", "))}"
  }

  private static func text(_ number: Int?) -> String { number.map(String.init) ?? "null" }
}
