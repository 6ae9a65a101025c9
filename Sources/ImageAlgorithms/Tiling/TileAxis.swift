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

  /// - Parameters:
  ///   - length: pixels of the image, at least 1.
  ///   - model: pixels the model takes; less than 1 if it takes any number.
  ///   - edge: what to add where tiles reach beyond the image; an image shorter than the model is
  ///     always mirrored.
  public init(length: Int, model: Int, edge: Edge) {
    self.length = length
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

  /// Pixels of the image with what was added.
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
