import Arrays

/// Pictures of an image with spots found in it.
public enum SpotPicture {
  /// Red, green and blue.
  private static let color: [UInt8] = [255, 0, 255]

  /// Marks spots on an image by magenta dots.
  ///
  /// - Parameters:
  ///   - spots: `[spot, 2]`, row and column of each, in fractions of pixels, where 0 is the centre of
  ///     the first one. Those that lie outside are left out.
  ///   - image: `[row, column]`, any range of values.
  ///   - maximumPixels: larger images are scaled down; dots are drawn afterwards.
  /// - Returns: `[row, column, 3]`, red, green and blue.
  /// - Throws: ``ArrayError`` when an array has another shape, or no pixels.
  public static func draw(
    _ spots: NDArray<Double>, over image: NDArray<Float>,
    maximumPixels: Int = PictureSize.defaultMaximumPixels
  ) throws(ArrayError) -> NDArray<UInt8> {
    guard image.rank == 2, image.count > 0, spots.rank == 2, spots.shape[1] == 2 else {
      throw ArrayError(
        .shapeMismatch,
        "spots of shape \(spots.shape.tupleDescription) cannot be drawn over an image of shape "
          + image.shape.tupleDescription)
    }
    let size = PictureSize(
      height: image.shape[0], width: image.shape[1], maximumPixels: maximumPixels)
    let small = image.averaged(to: size)
    let brightness = ContrastStretch(small)
    return NDArray(uninitialized: [size.height, size.width, 3]) { output in
      small.withUnsafeBuffer { pixels in
        for i in pixels.indices {
          let grey = brightness(pixels[i])
          for channel in 0..<3 { output[3 * i + channel] = grey }
        }
      }
      spots.withUnsafeBuffer { spots in
        for i in stride(from: 0, to: spots.count, by: 2) {
          guard
            let row = pixel(at: spots[i], of: image.shape[0], in: size.height),
            let column = pixel(at: spots[i + 1], of: image.shape[1], in: size.width)
          else { continue }
          // The pixel and its four neighbours.
          for (y, x) in [(0, 0), (-1, 0), (0, -1), (0, 1), (1, 0)] {
            let (y, x) = (row + y, column + x)
            guard (0..<size.height).contains(y), (0..<size.width).contains(x) else { continue }
            for channel in 0..<3 { output[3 * (y * size.width + x) + channel] = color[channel] }
          }
        }
      }
    }
  }

  /// The pixel of an axis of `count` that a coordinate of one of `original` lies in.
  private static func pixel(at coordinate: Double, of original: Int, in count: Int) -> Int? {
    let position = (coordinate + 0.5) * Double(count) / Double(original)
    // Also false for NaN.
    guard position >= 0, position < Double(count) else { return nil }
    return Int(position)
  }
}
