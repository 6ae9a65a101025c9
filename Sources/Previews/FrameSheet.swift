import Arrays

/// One picture of some frames of a movie, side by side.
public enum FrameSheet {
  public static let maximumFrames = 6
  private static let maximumColumns = 3
  /// Pixels between two frames, and their grey.
  private static let gap = 4
  private static let gapBrightness: UInt8 = 96

  /// Which frames of a movie are shown: the first, the last, and others evenly between them.
  public static func frames(of count: Int) -> [Int] {
    guard count > maximumFrames else { return Array(0..<max(count, 0)) }
    return (0..<maximumFrames).map {
      (2 * $0 * (count - 1) + maximumFrames - 1) / (2 * (maximumFrames - 1))
    }
  }

  /// Puts pictures into rows from left to right; a single one is returned as it is.
  ///
  /// - Parameter pictures: `[row, column, 3]`, all of one shape, at least one.
  /// - Returns: `[row, column, 3]`; places without a picture are grey like the gaps.
  /// - Throws: ``ArrayError`` when there are no pictures, or their shapes differ.
  public static func join(_ pictures: [NDArray<UInt8>]) throws(ArrayError) -> NDArray<UInt8> {
    guard let shape = pictures.first?.shape, shape.count == 3, shape[2] == 3,
      pictures.allSatisfy({ $0.shape == shape })
    else {
      let shapes = pictures.map(\.shape.tupleDescription).joined(separator: ", ")
      throw ArrayError(.shapeMismatch, "pictures of shapes [\(shapes)] make no sheet")
    }
    if pictures.count == 1 { return pictures[0] }
    let columns = min(pictures.count, maximumColumns)
    let rows = (pictures.count + columns - 1) / columns
    let (height, width) = (shape[0], shape[1])
    let sheetWidth = columns * (width + gap) - gap
    var sheet = NDArray<UInt8>(
      shape: [rows * (height + gap) - gap, sheetWidth, 3], repeating: gapBrightness)
    sheet.withUnsafeMutableBuffer { output in
      for (index, picture) in pictures.enumerated() {
        let top = index / columns * (height + gap)
        let left = index % columns * (width + gap)
        picture.withUnsafeBuffer { input in
          for y in 0..<height {
            let start = ((top + y) * sheetWidth + left) * 3
            let row = input[(y * width * 3)..<((y + 1) * width * 3)]
            _ = output[start...].update(fromContentsOf: row)
          }
        }
      }
    }
    return sheet
  }
}
