import Arrays

/// Puts the tiles a model answers together again, as they come: some channels of one of its outputs.
///
/// Tiles that overlap in both directions are blended by a ``splineWindow(size:overlapLeft:overlapRight:)``;
/// sums are kept for one row of tiles only. Otherwise a later tile replaces an earlier one.
///
/// - Source: deepcell-toolbox 0.12.1, `untile_image`, bit by bit: sums in `Double` in the order of the
///   tiles, never divided by the sum of the weights.
public struct Untiler: Sendable {
  public let tiling: Tiling
  /// How many channels are taken.
  public let channels: Int
  /// How many tiles have been added.
  public private(set) var count = 0
  private var image: NDArray<Float>
  private let blending: Blending?

  /// Weights and running sums of tiles that are blended.
  private struct Blending {
    let rowWeights: [[Double]]
    /// For each channel of each pixel.
    let columnWeights: [[Double]]

    init(_ tiling: Tiling, channels: Int) {
      rowWeights = Self.weights(tiling.rows)
      columnWeights = Self.weights(tiling.columns).map { weights in
        weights.flatMap { Array(repeating: $0, count: channels) }
      }
    }

    private static func weights(_ axis: TileAxis) -> [[Double]] {
      (0..<axis.count).map {
        splineWindow(
          size: axis.tile, overlapLeft: $0 == 0 ? 0 : axis.overlap,
          overlapRight: $0 == axis.count - 1 ? 0 : axis.overlap)
      }
    }
  }

  /// Sums of the row of tiles that is being added: `[tile row, padded column, channel]`.
  private var sums: NDArray<Double>

  /// - Parameters:
  ///   - tiling: how the tiles were cut.
  ///   - channels: how many channels to take, at least 1.
  public init(_ tiling: Tiling, channels: Int = 1) {
    precondition(channels >= 1)
    self.tiling = tiling
    self.channels = channels
    let (rows, columns) = (tiling.rows, tiling.columns)
    image = NDArray(shape: [tiling.batch, rows.length, columns.length, channels])
    let isBlended =
      rows.tile >= 32 && columns.tile >= 32 && rows.tile < rows.paddedLength
      && columns.tile < columns.paddedLength && rows.margin == 0 && columns.margin == 0
    blending = isBlended ? Blending(tiling, channels: channels) : nil
    sums = NDArray(shape: isBlended ? [rows.tile, columns.paddedLength, channels] : [0])
  }

  /// Adds the next tiles in order.
  ///
  /// - Parameters:
  ///   - tiles: `[tile, row, column, channel]`, any number of them.
  ///   - channel: the first channel to take.
  /// - Throws: ``ImageError`` when the tiles have another size, there are too many, or they do not have
  ///   the channel.
  public mutating func add(_ tiles: NDArray<Float>, channel: Int = 0) throws(ImageError) {
    let (rows, columns) = (tiling.rows, tiling.columns)
    guard tiles.rank == 4, tiles.shape[1] == rows.tile, tiles.shape[2] == columns.tile else {
      throw ImageError(
        .unexpectedModelOutput,
        "the model answered an array of shape \(tiles.shape.tupleDescription) for tiles of "
          + "\(rows.tile) x \(columns.tile) pixels; one value or more for each pixel is needed")
    }
    guard channel >= 0, channel + channels <= tiles.shape[3] else {
      throw ImageError(
        .unexpectedModelOutput,
        "the model answered \(tiles.shape[3]) channels, but channel \(channel + channels - 1) is "
          + "needed")
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
  /// - Returns: `[batch, row, column, channel]`. Pixels that belong to no tile are 0.
  /// - Throws: ``ImageError`` when tiles are missing.
  public func finished() throws(ImageError) -> NDArray<Float> {
    guard count == tiling.count else {
      throw ImageError(
        .unexpectedModelOutput,
        "the model answered \(count) of the \(tiling.count) tiles it was sent")
    }
    return image
  }

  /// Some channels of a tile, maybe among others.
  private struct Tile {
    let pixels: UnsafePointer<Float>
    /// Elements from one pixel to the next.
    let spacing: Int
  }

  private mutating func replace(_ tile: Tile) {
    let (rows, columns, channels) = (tiling.rows, tiling.columns, channels)
    let place = tiling.place(of: count)
    let start = place.column * columns.stride - columns.before
    let inside =
      max(columns.margin, -start)..<min(columns.tile - columns.margin, columns.length - start)
    image.withUnsafeMutableBuffer { image in
      let item = image.baseAddress! + place.item * rows.length * columns.length * channels
      for y in rows.margin..<(rows.tile - rows.margin) {
        let row = place.row * rows.stride + y - rows.before
        guard row >= 0, row < rows.length else { continue }
        let target = item + (row * columns.length + start + inside.lowerBound) * channels
        let pixels = tile.pixels + (y * columns.tile + inside.lowerBound) * tile.spacing
        if tile.spacing == channels {
          target.update(from: pixels, count: inside.count * channels)
        } else {
          for x in 0..<inside.count {
            for channel in 0..<channels {
              target[x &* channels &+ channel] = pixels[x &* tile.spacing &+ channel]
            }
          }
        }
      }
    }
  }

  private mutating func blend(_ tile: Tile, _ blending: Blending) {
    let (rows, columns, channels) = (tiling.rows, tiling.columns, channels)
    let place = tiling.place(of: count)
    let rowWeights = blending.rowWeights[place.row]
    sums.withUnsafeMutableBuffer { sums in
      blending.columnWeights[place.column].withUnsafeBufferPointer { columnWeights in
        for y in 0..<rows.tile {
          let position = y * columns.paddedLength + place.column * columns.stride
          let line = sums.baseAddress! + position * channels
          let pixels = tile.pixels + y * columns.tile * tile.spacing
          let weight = rowWeights[y]
          if tile.spacing == channels {
            // The same, as vector code.
            for i in 0..<columns.tile * channels {
              line[i] += Double(pixels[i]) * (weight * columnWeights[i])
            }
          } else if channels == 1 {
            for x in 0..<columns.tile {
              line[x] += Double(pixels[x &* tile.spacing]) * (weight * columnWeights[x])
            }
          } else {
            for x in 0..<columns.tile {
              for channel in 0..<channels {
                let i = x &* channels &+ channel
                line[i] +=
                  Double(pixels[x &* tile.spacing &+ channel]) * (weight * columnWeights[i])
              }
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
    let width = columns.paddedLength * channels
    let length = columns.length * channels
    sums.withUnsafeMutableBuffer { sums in
      let sums = sums.baseAddress!
      image.withUnsafeMutableBuffer { image in
        let image = image.baseAddress! + item * rows.length * length
        for y in 0..<done {
          let row = tileRow * rows.stride + y - rows.before
          guard row >= 0, row < rows.length else { continue }
          let line = sums + (y * width + columns.before * channels)
          let target = image + row * length
          for i in 0..<length { target[i] = Float(line[i]) }
        }
      }
      sums.update(from: sums + done * width, count: (rows.tile - done) * width)
      (sums + (rows.tile - done) * width).update(repeating: 0, count: done * width)
    }
  }
}
