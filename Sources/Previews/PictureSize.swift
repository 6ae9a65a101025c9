import Arrays

/// How large a picture of an image is.
public struct PictureSize: Sendable, Equatable {
  public let height: Int
  public let width: Int

  /// The default of `PREVIEW_MAX_PIXELS`.
  public static let defaultMaximumPixels = 1 << 20

  /// The size of the image itself, or scaled down in proportion to at most `maximumPixels`.
  public init(height: Int, width: Int, maximumPixels: Int = defaultMaximumPixels) {
    precondition(height >= 0 && width >= 0 && maximumPixels > 0)
    let pixels = Double(height) * Double(width)
    guard pixels > Double(maximumPixels) else {
      self.height = height
      self.width = width
      return
    }
    let factor = (Double(maximumPixels) / pixels).squareRoot()
    // A side of one pixel leaves the other more than its share.
    let short = max(1, Int(Double(min(height, width)) * factor))
    let long = min(Int(Double(max(height, width)) * factor), maximumPixels / short)
    self.height = height < width ? short : long
    self.width = height < width ? long : short
  }
}

extension NDArray where Element == Float {
  /// The image `[row, column]` scaled down: each pixel is the mean of those it stands for.
  func averaged(to size: PictureSize) -> NDArray<Float> {
    let (height, width) = (shape[0], shape[1])
    if size.height == height, size.width == width { return self }
    return NDArray(uninitialized: [size.height, size.width]) { output in
      withUnsafeBuffer { input in
        for y in 0..<size.height {
          let rows = Self.covered(y, of: size.height, from: height)
          for x in 0..<size.width {
            let columns = Self.covered(x, of: size.width, from: width)
            var sum: Float = 0
            for row in rows {
              let start = row * width
              for column in columns { sum += input[start + column] }
            }
            output[y * size.width + x] = sum / Float(rows.count * columns.count)
          }
        }
      }
    }
  }

  private static func covered(_ index: Int, of count: Int, from extent: Int) -> Range<Int> {
    let start = index * extent / count
    return start..<max(start + 1, (index + 1) * extent / count)
  }
}

extension NDArray where Element == Int32 {
  /// The labels `[row, column]` scaled down: each pixel is the one nearest to its centre.
  func nearest(to size: PictureSize) -> NDArray<Int32> {
    let (height, width) = (shape[0], shape[1])
    if size.height == height, size.width == width { return self }
    let columns = (0..<size.width).map { (2 * $0 + 1) * width / (2 * size.width) }
    return NDArray(uninitialized: [size.height, size.width]) { output in
      withUnsafeBuffer { input in
        for y in 0..<size.height {
          let start = (2 * y + 1) * height / (2 * size.height) * width
          for x in 0..<size.width { output[y * size.width + x] = input[start + columns[x]] }
        }
      }
    }
  }
}
