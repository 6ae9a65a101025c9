import Arrays

/// Puts the tiles a model answers together again, as they come, one channel of one of its outputs.
///
/// Tiles that overlap in both directions are blended by a ``splineWindow(size:overlapLeft:overlapRight:)``;
/// sums are kept for one row of tiles only. Otherwise a later tile replaces an earlier one.
///
/// - Source: deepcell-toolbox 0.12.1, `untile_image`, bit by bit: sums in `Double` in the order of the
///   tiles, never divided by the sum of the weights.
public struct Untiler: Sendable {
  public let tiling: Tiling
  /// How many tiles have been added.
  public private(set) var count = 0
  private var image: NDArray<Float>
  private let blending: Blending?

  /// Weights and running sums of tiles that are blended.
  private struct Blending {
    let rowWeights: [[Double]]
    let columnWeights: [[Double]]

    init(_ tiling: Tiling) {
      rowWeights = Self.weights(tiling.rows)
      columnWeights = Self.weights(tiling.columns)
    }

    private static func weights(_ axis: TileAxis) -> [[Double]] {
      (0..<axis.count).map {
        splineWindow(
          size: axis.tile, overlapLeft: $0 == 0 ? 0 : axis.overlap,
          overlapRight: $0 == axis.count - 1 ? 0 : axis.overlap)
      }
    }
  }

  /// Sums of the row of tiles that is being added: `[tile row, padded column]`.
  private var sums: NDArray<Double>

  public init(_ tiling: Tiling) {
    self.tiling = tiling
    let (rows, columns) = (tiling.rows, tiling.columns)
    image = NDArray(shape: [tiling.batch, rows.length, columns.length, 1])
    let isBlended =
      rows.tile >= 32 && columns.tile >= 32 && rows.tile < rows.paddedLength
      && columns.tile < columns.paddedLength
    blending = isBlended ? Blending(tiling) : nil
    sums = NDArray(shape: isBlended ? [rows.tile, columns.paddedLength] : [0])
  }

  /// Adds the next tiles in order.
  ///
  /// - Parameters:
  ///   - tiles: `[tile, row, column, channel]`, any number of them.
  ///   - channel: which channel to take.
  /// - Throws: ``ImageError`` when the tiles have another size, there are too many, or they do not have
  ///   the channel.
  public mutating func add(_ tiles: NDArray<Float>, channel: Int = 0) throws(ImageError) {
    let (rows, columns) = (tiling.rows, tiling.columns)
    guard tiles.rank == 4, tiles.shape[1] == rows.tile, tiles.shape[2] == columns.tile else {
      throw ImageError(
        .unexpectedModelOutput,
        "the model answered an array of shape \(tiles.shape.tupleDescription) for tiles of "
          + "\(rows.tile) x \(columns.tile) pixels")
    }
    guard channel >= 0, channel < tiles.shape[3] else {
      throw ImageError(
        .unexpectedModelOutput,
        "the model answered \(tiles.shape[3]) channels, but channel \(channel) is needed")
    }
    guard count + tiles.shape[0] <= tiling.count else {
      throw ImageError(
        .unexpectedModelOutput,
        "the model answered more than the \(tiling.count) tiles it was sent")
    }
    let size = rows.tile * columns.tile * tiles.shape[3]
    tiles.withUnsafeBuffer { tiles in
      for start in stride(from: 0, to: tiles.count, by: max(size, 1)) {
        let tile = Tile(
          pixels: tiles.baseAddress! + (start + channel), spacing: size / (rows.tile * columns.tile)
        )
        if let blending { blend(tile, blending) } else { replace(tile) }
        count += 1
      }
    }
  }

  /// The image put together.
  ///
  /// - Returns: `[batch, row, column, 1]`.
  /// - Throws: ``ImageError`` when tiles are missing.
  public func finished() throws(ImageError) -> NDArray<Float> {
    guard count == tiling.count else {
      throw ImageError(
        .unexpectedModelOutput,
        "the model answered \(count) of the \(tiling.count) tiles it was sent")
    }
    return image
  }

  /// One channel of a tile among others.
  private struct Tile {
    let pixels: UnsafePointer<Float>
    /// Elements from one pixel to the next.
    let spacing: Int
  }

  private mutating func replace(_ tile: Tile) {
    let (rows, columns) = (tiling.rows, tiling.columns)
    let place = tiling.place(of: count)
    image.withUnsafeMutableBuffer { image in
      let item = image.baseAddress! + place.item * rows.length * columns.length
      for y in 0..<rows.tile {
        let row = place.row * rows.stride + y - rows.before
        guard row >= 0, row < rows.length else { continue }
        let start = place.column * columns.stride - columns.before
        for x in max(0, -start)..<min(columns.tile, columns.length - start) {
          item[row * columns.length + start + x] =
            tile.pixels[(y * columns.tile + x) * tile.spacing]
        }
      }
    }
  }

  private mutating func blend(_ tile: Tile, _ blending: Blending) {
    let (rows, columns) = (tiling.rows, tiling.columns)
    let place = tiling.place(of: count)
    let rowWeights = blending.rowWeights[place.row]
    sums.withUnsafeMutableBuffer { sums in
      blending.columnWeights[place.column].withUnsafeBufferPointer { columnWeights in
        for y in 0..<rows.tile {
          let line = sums.baseAddress! + (y * columns.paddedLength + place.column * columns.stride)
          let pixels = tile.pixels + y * columns.tile * tile.spacing
          let weight = rowWeights[y]
          if tile.spacing == 1 {
            // The same, as vector code.
            for x in 0..<columns.tile {
              line[x] += Double(pixels[x]) * (weight * columnWeights[x])
            }
          } else {
            for x in 0..<columns.tile {
              line[x] += Double(pixels[x &* tile.spacing]) * (weight * columnWeights[x])
            }
          }
        }
      }
    }
    if place.column == columns.count - 1 { finishRow(place.row, of: place.item) }
  }

  /// Writes the sums no later tile adds to, and moves the others up.
  private mutating func finishRow(_ tileRow: Int, of item: Int) {
    let (rows, columns) = (tiling.rows, tiling.columns)
    let isLast = tileRow == rows.count - 1
    let done = isLast ? rows.tile : rows.stride
    let width = columns.paddedLength
    sums.withUnsafeMutableBuffer { sums in
      let sums = sums.baseAddress!
      image.withUnsafeMutableBuffer { image in
        let image = image.baseAddress! + item * rows.length * columns.length
        for y in 0..<done {
          let row = tileRow * rows.stride + y - rows.before
          guard row >= 0, row < rows.length else { continue }
          let line = sums + (y * width + columns.before)
          let target = image + row * columns.length
          for x in 0..<columns.length { target[x] = Float(line[x]) }
        }
      }
      sums.update(from: sums + done * width, count: (rows.tile - done) * width)
      (sums + (rows.tile - done) * width).update(repeating: 0, count: done * width)
    }
  }
}
