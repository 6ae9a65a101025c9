import Arrays

/// Where one frame of one channel lies in an image of any order of axes.
struct InputPlane: Equatable {
  let rows: Int
  let columns: Int
  /// Channels and frames that the image has.
  let channels: Int
  let frames: Int
  /// Elements between rows, between columns, and before the first pixel.
  let rowStride: Int
  let columnStride: Int
  let offset: Int

  /// - Parameters:
  ///   - order: one letter per axis: of X and Y the first is rows, the second columns; C is the
  ///     channels'; any other counts frames. Nil to infer: an axis of at most 4 entries is the
  ///     channels', the last two others are rows and columns.
  /// - Throws: ``ArrayError`` when rows or columns cannot be told.
  init(shape: Shape, order: String?, frame: Int, channel: Int) throws(ArrayError) {
    var letters = Array(order ?? "")
    if letters.count != shape.count || !letters.contains("X") || !letters.contains("Y") {
      letters = Self.inferredOrder(of: shape)
    }
    let spatial = letters.indices.filter { letters[$0] == "X" || letters[$0] == "Y" }
    guard spatial.count == 2 else {
      throw ArrayError(.shapeMismatch, "an image of shape \(shape.tupleDescription) has no rows")
    }
    // Extents are those of memory that exists, so products do not overflow.
    var strides = Array(repeating: 1, count: shape.count)
    for axis in strides.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    func start(of index: Int, on axis: Int?) -> Int {
      guard let axis else { return 0 }
      return min(max(index, 0), max(shape[axis] - 1, 0)) * strides[axis]
    }
    rows = shape[spatial[0]]
    columns = shape[spatial[1]]
    rowStride = strides[spatial[0]]
    columnStride = strides[spatial[1]]
    let channelAxis = letters.firstIndex(of: "C")
    let frameAxis = letters.firstIndex { !"XYC".contains($0) }
    channels = channelAxis.map { shape[$0] } ?? 1
    frames = frameAxis.map { shape[$0] } ?? 1
    offset =
      start(of: channel, on: channelAxis)
      + start(of: frame, on: frameAxis)
  }

  private static func inferredOrder(of shape: Shape) -> [Character] {
    switch shape.count {
    case 2: return ["X", "Y"]
    case 3:
      let c = channelAxis(of: shape[...])
      return c.map { order(channelAxis: $0, rank: 3) } ?? ["B", "X", "Y"]
    case 4...:
      let rest = shape.dropFirst(shape.count - 3)
      let c = channelAxis(of: rest) ?? shape.count - 1
      return order(channelAxis: c, rank: shape.count)
    default: return []
    }
  }

  /// The smallest axis if it has at most 4 entries, the last of equal ones.
  private static func channelAxis(of extents: Shape.SubSequence) -> Int? {
    guard let smallest = extents.min(), smallest <= 4 else { return nil }
    return extents.lastIndex(of: smallest)
  }

  private static func order(channelAxis: Int, rank: Int) -> [Character] {
    var letters = [Character](repeating: "B", count: rank)
    letters[channelAxis] = "C"
    let others = letters.indices.filter { $0 != channelAxis }.suffix(2)
    for (axis, letter) in zip(others, ["X", "Y"] as [Character]) { letters[axis] = letter }
    return letters
  }

  /// `[row, column]`
  func pixels(of image: AnyNDArray) throws(ArrayError) -> NDArray<Float> {
    guard rows > 0, columns > 0, image.count > 0 else {
      throw ArrayError(.shapeMismatch, "the image has no pixels")
    }
    // Only this plane is converted: a stack may have thousands.
    return AnyNDArray(dtype: image.dtype, uninitialized: [rows, columns]) { output in
      image.withUnsafeBytes { input in
        switch image.dtype.size {
        case 1: gather(UInt8.self, from: input, to: output)
        case 2: gather(UInt16.self, from: input, to: output)
        case 4: gather(UInt32.self, from: input, to: output)
        default: gather(UInt64.self, from: input, to: output)
        }
      }
    }.asFloat
  }

  /// Copies the plane's elements, whatever they are, as words of their size.
  private func gather<Word>(
    _: Word.Type, from input: UnsafeRawBufferPointer, to output: UnsafeMutableRawBufferPointer
  ) {
    let input = input.assumingMemoryBound(to: Word.self)
    let output = output.assumingMemoryBound(to: Word.self)
    for row in 0..<rows {
      var position = offset + row * rowStride
      for column in 0..<columns {
        output[row * columns + column] = input[position]
        position += columnStride
      }
    }
  }
}
