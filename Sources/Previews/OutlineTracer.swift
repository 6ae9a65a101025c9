/// Walks along the borders of labels, with the label on the right.
///
/// Pixels are visited row by row, and a ring is walked when its first side comes up: of an outer ring
/// that is an upper side, of a hole a lower one. By then the left side of the pixel's run of equals
/// belongs to a ring that was walked before, which tells whose hole it is.
struct OutlineTracer {
  /// Along a pixel's upper side, its right, lower and left one.
  private enum Direction: Int {
    case east, south, west, north

    var toTheRight: Direction { Direction(rawValue: (rawValue + 1) & 3) ?? .east }
    var toTheLeft: Direction { Direction(rawValue: (rawValue + 3) & 3) ?? .east }

    var step: (x: Int, y: Int) {
      switch self {
      case .east: (1, 0)
      case .south: (0, 1)
      case .west: (-1, 0)
      case .north: (0, -1)
      }
    }

    /// From a pixel's upper left corner to the one its side ends at.
    var end: (x: Int, y: Int) {
      switch self {
      case .east: (1, 0)
      case .south: (1, 1)
      case .west: (0, 1)
      case .north: (0, 0)
      }
    }
  }

  private static let upperIsWalked: UInt8 = 1
  private static let lowerIsWalked: UInt8 = 2

  private let height: Int
  private let width: Int
  private(set) var rings: [CellOutlines.Ring] = []
  private(set) var corners: [Int32] = []

  init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }

  /// - Parameter labels: `[row, column]`
  mutating func trace(_ labels: UnsafeBufferPointer<Int32>) {
    var walked = Array(repeating: UInt8(0), count: labels.count)
    /// The piece that a left side belongs to, for those that were walked along.
    var pieces = Array(repeating: Int32(0), count: labels.count)
    walked.withUnsafeMutableBufferPointer { walked in
      pieces.withUnsafeMutableBufferPointer { pieces in
        var count: Int32 = 0
        for y in 0..<height {
          var piece: Int32 = 0
          for x in 0..<width {
            let i = y * width + x
            let label = labels[i]
            if label == 0 { continue }
            let hasUpperSide = y == 0 || labels[i - width] != label
            if hasUpperSide, walked[i] & Self.upperIsWalked == 0 {
              walk(labels, from: (x, y), .east, label, piece: count, walked, pieces)
              count += 1
            }
            if x == 0 || labels[i - 1] != label { piece = pieces[i] }
            let hasLowerSide = y == height - 1 || labels[i + width] != label
            if hasLowerSide, walked[i] & Self.lowerIsWalked == 0 {
              walk(labels, from: (x, y), .west, label, piece: piece, walked, pieces)
            }
          }
        }
      }
    }
  }

  /// Once around, from one side of a pixel; keeps a corner only where the direction changes.
  private mutating func walk(
    _ labels: UnsafeBufferPointer<Int32>, from start: (x: Int, y: Int), _ first: Direction,
    _ label: Int32, piece: Int32, _ walked: UnsafeMutableBufferPointer<UInt8>,
    _ pieces: UnsafeMutableBufferPointer<Int32>
  ) {
    func isInside(_ x: Int, _ y: Int) -> Bool {
      x >= 0 && x < width && y >= 0 && y < height && labels[y * width + x] == label
    }
    var line = OpenLine()
    var (x, y) = start
    var direction = first
    repeat {
      let i = y * width + x
      switch direction {
      case .east: walked[i] |= Self.upperIsWalked
      case .west: walked[i] |= Self.lowerIsWalked
      case .north: pieces[i] = piece
      case .south: break
      }
      let (ahead, end) = (direction.step, direction.end)
      let outwards = direction.toTheLeft.step
      let acrossIsInside = isInside(x + ahead.x + outwards.x, y + ahead.y + outwards.y)
      let corner = (x: Int32(x + end.x), y: Int32(y + end.y))
      if !isInside(x + ahead.x, y + ahead.y) {
        // Also where the pixel across the corner has the same label: pieces are 4-connected.
        if let loop = line.turn(at: corner, mayMeetItself: acrossIsInside) {
          // What lies between two visits of a corner is a hole that touches the ring there.
          add(loop, label, piece, isHole: true)
        }
        direction = direction.toTheRight
      } else if acrossIsInside {
        _ = line.turn(at: corner, mayMeetItself: false)
        x += ahead.x + outwards.x
        y += ahead.y + outwards.y
        direction = direction.toTheLeft
      } else {
        x += ahead.x
        y += ahead.y
      }
    } while (x, y) != start || direction != first
    add(line.corners[...], label, piece, isHole: first == .west)
  }

  private mutating func add(
    _ line: ArraySlice<OpenLine.Corner>, _ label: Int32, _ piece: Int32, isHole: Bool
  ) {
    let begin = corners.count
    for corner in line {
      corners.append(corner.x)
      corners.append(corner.y)
    }
    corners.append(corners[begin])
    corners.append(corners[begin + 1])
    rings.append(
      .init(label: label, piece: piece, isHole: isHole, corners: begin..<corners.count))
  }
}

/// The corners of a walk so far, none of them twice.
private struct OpenLine {
  typealias Corner = (x: Int32, y: Int32)

  private(set) var corners: [Corner] = []
  /// Places in ``corners`` of those that the walk may come to again.
  private var places: [SIMD2<Int32>: Int] = [:]

  /// Adds a corner.
  ///
  /// - Parameter mayMeetItself: whether the walk comes by here twice, or another one once.
  /// - Returns: the corners since the first visit, which are then no longer part of this line; nil
  ///   at the first visit.
  mutating func turn(at corner: Corner, mayMeetItself: Bool) -> ArraySlice<Corner>? {
    let key = SIMD2(corner.x, corner.y)
    guard mayMeetItself, let place = places.removeValue(forKey: key) else {
      if mayMeetItself { places[key] = corners.count }
      corners.append(corner)
      return nil
    }
    let loop = corners[place...]
    corners.removeSubrange((place + 1)...)
    return loop
  }
}
