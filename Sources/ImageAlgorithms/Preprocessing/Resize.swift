import Arrays

/// Resizes images.
///
/// - Parameters:
///   - image: `[batch, row, column, channel]`.
///   - rows: of the result, at least 1.
///   - columns: of the result, at least 1.
/// - Returns: `[batch, row, column, channel]`. One channel is interpolated linearly, also when it
///   shrinks; several are smoothed before they shrink, and fade to 0 at the edges.
/// - Throws: ``ImageError`` when the rank is not 4 or a size is less than 1.
/// - Source: deepcell-toolbox 0.12.1, `resize`. One channel: OpenCV 4 `INTER_LINEAR`, to within 2e-7 of
///   the range, since coordinates and values are computed in `Double` here. Several: scikit-image 0.21
///   `transform.resize`, bit by bit.
public func resized(
  _ image: NDArray<Float>, rows: Int, columns: Int
) throws(ImageError) -> NDArray<Float> {
  try requireRank(4, of: image, named: "the image", axes: "batch, row, column, channel")
  try requireResizable(image.shape, rows: rows, columns: columns)
  let channels = image.shape[3]
  if image.shape[1] == rows, image.shape[2] == columns { return image }
  return NDArray(uninitialized: [image.shape[0], rows, columns, channels]) { output in
    image.withUnsafeBuffer { input in
      guard !output.isEmpty else { return }
      let size = image.count / image.shape[0]
      for item in 0..<image.shape[0] {
        let source = UnsafeBufferPointer(rebasing: input[item * size..<(item + 1) * size])
        let target = output.baseAddress! + item * rows * columns * channels
        if channels == 1 {
          BilinearResize(from: (image.shape[1], image.shape[2]), to: (rows, columns))
            .apply(to: source.baseAddress!, into: target)
        } else {
          MultichannelResize(
            from: (image.shape[1], image.shape[2]), to: (rows, columns), channels: channels
          ).apply(to: source, into: target)
        }
      }
    }
  }
}

func requireResizable(_ shape: Shape, rows: Int, columns: Int) throws(ImageError) {
  guard rows > 0, columns > 0, shape[1] > 0, shape[2] > 0 else {
    throw ImageError(
      .invalidDimensions,
      "an image of \(shape[1]) x \(shape[2]) pixels cannot be resized to \(rows) x \(columns)")
  }
}

/// The two pixels of an axis a new pixel lies between, and how far it is towards the second.
struct LinearTap {
  let first: Int
  let second: Int
  let share: Double

  /// For each of `count` new pixels over the same length as `old` ones, by their centres; the
  /// outermost pixels extend beyond the edge.
  static func clamped(from old: Int, to count: Int) -> [LinearTap] {
    (0..<count).map { index in
      let position = (Double(index) + 0.5) * (Double(old) / Double(count)) - 0.5
      let floor = position.rounded(.down)
      let first = Int(floor)
      if first < 0 { return LinearTap(first: 0, second: 0, share: 0) }
      if first >= old - 1 { return LinearTap(first: old - 1, second: old - 1, share: 0) }
      return LinearTap(first: first, second: first + 1, share: position - floor)
    }
  }
}

/// Linear interpolation of one channel.
struct BilinearResize {
  private let rowStride: Int
  private let rowTaps: [LinearTap]
  private let columnTaps: [LinearTap]

  /// - Parameter rowStride: pixels from one old row to the next; nil: they lie side by side.
  init(
    from old: (rows: Int, columns: Int), to new: (rows: Int, columns: Int), rowStride: Int? = nil
  ) {
    self.rowStride = rowStride ?? old.columns
    rowTaps = LinearTap.clamped(from: old.rows, to: new.rows)
    columnTaps = LinearTap.clamped(from: old.columns, to: new.columns)
  }

  func apply(to input: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>) {
    let columns = columnTaps.count
    // The two old rows in use, already at their new width.
    var first = [Double](repeating: 0, count: columns)
    var second = first
    var (firstRow, secondRow) = (-1, -1)
    for (row, tap) in rowTaps.enumerated() {
      if tap.first == secondRow {
        swap(&first, &second)
        swap(&firstRow, &secondRow)
      }
      if tap.first != firstRow {
        stretch(input + tap.first * rowStride, into: &first)
        firstRow = tap.first
      }
      if tap.second != secondRow {
        stretch(input + tap.second * rowStride, into: &second)
        secondRow = tap.second
      }
      let line = output + row * columns
      for x in 0..<columns { line[x] = Float(first[x] + (second[x] - first[x]) * tap.share) }
    }
  }

  private func stretch(_ line: UnsafePointer<Float>, into output: inout [Double]) {
    for (x, tap) in columnTaps.enumerated() {
      let (left, right) = (Double(line[tap.first]), Double(line[tap.second]))
      output[x] = left + (right - left) * tap.share
    }
  }
}
