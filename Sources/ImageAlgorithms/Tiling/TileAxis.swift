/// How one axis of an image is cut into tiles.
public struct TileAxis: Sendable, Hashable {
  /// What lies beyond the edge.
  public enum Edge: Sendable, Hashable {
    /// The image mirrored, the edge itself not repeated.
    case reflect
    case zero
  }

  /// Pixels of the image.
  public let length: Int
  /// Pixels of a tile.
  public let tile: Int
  /// Pixels between the beginnings of two tiles.
  public let stride: Int
  /// How many tiles there are.
  public let count: Int
  /// Pixels added before the first.
  public let before: Int
  /// Pixels added after the last.
  public let after: Int
  public let edge: Edge
  /// Pixels at both ends of a tile that are sent for context only; their answers are dropped.
  public let margin: Int

  /// - Parameters:
  ///   - length: pixels of the image, at least 1.
  ///   - model: pixels the model takes; less than 1 if it takes any number.
  ///   - edge: what to add where tiles reach beyond the image; an image shorter than the model is
  ///     always mirrored.
  public init(length: Int, model: Int, edge: Edge) {
    self.length = length
    margin = 0
    if model < 1 || length < model {
      // One tile, padded to the model's size if it has one.
      let missing = max(model - length, 0)
      (tile, stride, count) = (length + missing, length + missing, 1)
      (before, after) = (missing / 2, missing - missing / 2)
      self.edge = .reflect
      return
    }
    tile = model
    // Three quarters of a tile, as an even number.
    stride = min(2 * Int((0.75 * Double(model) / 2).rounded(.up)), model)
    count = (length - model + stride - 1) / stride + 1
    let over = model + stride * (count - 1) - length
    (before, after) = (over - over / 2, over / 2)
    self.edge = edge
  }

  /// Pieces of equal length, with a margin on both sides. Pixels that are left over after the last
  /// piece are in its margin at most.
  ///
  /// - Parameters:
  ///   - length: pixels of the image, at least 1.
  ///   - pieces: how many, 1...length.
  ///   - margin: pixels, at least 0.
  public init(length: Int, pieces: Int, margin: Int) {
    precondition((1...length).contains(pieces) && margin >= 0)
    self.length = length
    self.margin = margin
    stride = length / pieces
    tile = stride + 2 * margin
    count = pieces
    (before, after) = (margin, margin)
    edge = .reflect
  }

  /// From the beginning of the first tile to the end of the last.
  public var paddedLength: Int { tile + stride * (count - 1) }
  /// Pixels two neighbouring tiles share.
  public var overlap: Int { tile - stride }

  /// The pixel of the image at `position` of the padded axis; nil if there is none.
  @inline(__always)
  func source(_ position: Int) -> Int? {
    let index = position - before
    if index >= 0 && index < length { return index }
    return edge == .zero ? nil : Boundary.reflect101(index, length)
  }
}
