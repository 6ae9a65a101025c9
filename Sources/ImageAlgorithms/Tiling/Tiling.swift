import Arrays

/// How images are cut into overlapping tiles of a model's size.
///
/// Tiles are counted through the batch, then rows, then columns. They are made as they are needed, a
/// whole batch in one piece of memory, so that an image is never held twice.
///
/// - Source: deepcell-toolbox 0.12.1, `tile_image`, and deepcell 0.12.10, `_tile_input`. An image with
///   one side shorter than the model's and the other longer is sent there in a size the model does
///   not take; here the short side is padded and the long one is cut. A model that takes any size
///   gets the whole image; there the size -1 is taken for one.
public struct Tiling: Sendable, Hashable {
  /// Images.
  public let batch: Int
  public let rows: TileAxis
  public let columns: TileAxis
  public let channels: Int

  /// - Parameters:
  ///   - shape: of the image, `[batch, row, column, channel]`.
  ///   - modelRows: rows the model takes; less than 1 if it takes any number.
  ///   - modelColumns: likewise.
  ///   - edge: what lies beyond the image.
  /// - Throws: ``ImageError`` when the shape is not that of an image.
  public init(
    shape: Shape, modelRows: Int, modelColumns: Int, edge: TileAxis.Edge = .reflect
  ) throws(ImageError) {
    try Self.requireImage(shape)
    batch = shape[0]
    rows = TileAxis(length: shape[1], model: modelRows, edge: edge)
    columns = TileAxis(length: shape[2], model: modelColumns, edge: edge)
    channels = shape[3]
  }

  /// Cuts images into pieces that do not overlap but for a margin, from which the model sees what lies
  /// around a piece.
  ///
  /// - Parameters:
  ///   - shape: of the image, `[batch, row, column, channel]`.
  ///   - cuts: pieces along each axis, at least 1; rows and columns that are left over belong to none.
  ///   - fieldSize: pixels the model looks at to decide on one of them, an odd number.
  /// - Throws: ``ImageError`` when the shape is not that of an image, pieces would have no pixel or too many.
  /// - Source: kiosk-redis-consumer 0.1 to 0.4.4.
  public init(shape: Shape, cuts: Int, fieldSize: Int) throws(ImageError) {
    try Self.requireImage(shape)
    guard cuts >= 1, cuts <= min(shape[1], shape[2]) else {
      throw ImageError(
        .invalidParameter,
        "an image of \(shape[1]) x \(shape[2]) pixels cannot be cut into \(cuts) x \(cuts) pieces")
    }
    guard fieldSize % 2 == 1, (1...Self.maximumFieldSize).contains(fieldSize) else {
      throw ImageError(
        .invalidParameter,
        "the field size must be an odd number from 1 to \(Self.maximumFieldSize), not \(fieldSize)")
    }
    batch = shape[0]
    rows = TileAxis(length: shape[1], pieces: cuts, margin: fieldSize / 2)
    columns = TileAxis(length: shape[2], pieces: cuts, margin: fieldSize / 2)
    channels = shape[3]
    // Small pieces with wide margins would send every pixel thousands of times.
    guard Double(count) * Double(rows.tile) * Double(columns.tile) <= Double(Self.maximumPixels)
    else {
      throw ImageError(
        .tooLarge,
        "\(count) pieces of \(rows.tile) x \(columns.tile) pixels, as \(cuts) cuts and a field size of "
          + "\(fieldSize) ask for, are too many; at most \(Self.maximumPixels) pixels are sent")
    }
  }

  private static let maximumFieldSize = 4095
  /// Most pixels the pieces of an image may have in all.
  private static let maximumPixels = 1 << 30

  private static func requireImage(_ shape: Shape) throws(ImageError) {
    guard shape.count == 4, shape[1] > 0, shape[2] > 0 else {
      throw ImageError(
        .invalidDimensions,
        "an image of shape \(shape.tupleDescription) cannot be cut into tiles; it needs the axes "
          + "(batch, row, column, channel) and at least one pixel")
    }
  }

  /// How many tiles there are.
  public var count: Int { batch * rows.count * columns.count }
  /// Of the image, `[batch, row, column, channel]`.
  public var shape: Shape { [batch, rows.length, columns.length, channels] }

  /// Which image a tile is of, and its place there.
  func place(of tile: Int) -> (item: Int, row: Int, column: Int) {
    let perItem = rows.count * columns.count
    return (tile / perItem, tile % perItem / columns.count, tile % columns.count)
  }

  /// Cuts tiles out of an image.
  ///
  /// - Parameters:
  ///   - range: which tiles, within `0..<count`.
  ///   - image: of this tiling's ``shape``.
  /// - Returns: `[tile, row, column, channel]`.
  /// - Throws: ``ImageError`` when the image has another shape.
  public func tiles(
    _ range: Range<Int>, of image: NDArray<Float>
  ) throws(ImageError) -> NDArray<Float> {
    try requireShape(shape, of: image, named: "the image to cut into tiles")
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "no tiles \(range)")
    return NDArray(uninitialized: [range.count, rows.tile, columns.tile, channels]) { output in
      image.withUnsafeBuffer { input in
        guard !output.isEmpty else { return }
        let size = rows.tile * columns.tile * channels
        for tile in range {
          write(
            tile, of: input.baseAddress!,
            into: output.baseAddress! + (tile - range.lowerBound) * size)
        }
      }
    }
  }

  private func write(
    _ tile: Int, of image: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>
  ) {
    let place = place(of: tile)
    let start = place.column * columns.stride
    // The columns that are part of the image are copied in one piece.
    let inside = max(columns.before - start, 0)
    let outside = min(columns.before + columns.length - start, columns.tile)
    let item = image + place.item * rows.length * columns.length * channels
    for row in 0..<rows.tile {
      let line = output + row * columns.tile * channels
      guard let source = rows.source(place.row * rows.stride + row) else {
        line.update(repeating: 0, count: columns.tile * channels)
        continue
      }
      let from = item + source * columns.length * channels
      (line + inside * channels).update(
        from: from + (start + inside - columns.before) * channels,
        count: (outside - inside) * channels)
      for column in 0..<columns.tile where column < inside || column >= outside {
        let source = columns.source(start + column)
        for channel in 0..<channels {
          line[column * channels + channel] = source.map { from[$0 * channels + channel] } ?? 0
        }
      }
    }
  }
}
