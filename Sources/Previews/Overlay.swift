import Arrays

/// Pictures of an image with its cells.
public enum Overlay {
  /// Draws the outlines of labelled cells over an image.
  ///
  /// A pixel is outline where its label differs from the right or the lower neighbour's. It has the
  /// colour of its own label or, on the background, of that neighbour's.
  ///
  /// - Parameters:
  ///   - labels: `[row, column]`; 0 is background.
  ///   - image: `[row, column]` of the same extents, any range of values.
  ///   - maximumPixels: larger images are scaled down; outlines are drawn afterwards and so stay one
  ///     pixel wide.
  /// - Returns: `[row, column, 3]`, red, green and blue.
  /// - Throws: ``ArrayError`` when the extents differ, or one of them is 0.
  public static func outlines(
    of labels: NDArray<Int32>, over image: NDArray<Float>,
    maximumPixels: Int = PictureSize.defaultMaximumPixels
  ) throws(ArrayError) -> NDArray<UInt8> {
    guard image.rank == 2, image.shape == labels.shape, image.count > 0 else {
      throw ArrayError(
        .shapeMismatch,
        "labels of shape \(labels.shape.tupleDescription) cannot be drawn over an image of shape "
          + image.shape.tupleDescription)
    }
    let size = PictureSize(
      height: image.shape[0], width: image.shape[1], maximumPixels: maximumPixels)
    let image = image.averaged(to: size)
    let labels = labels.nearest(to: size)
    let brightness = ContrastStretch(image)
    return NDArray(uninitialized: [size.height, size.width, 3]) { output in
      image.withUnsafeBuffer { pixels in
        labels.withUnsafeBuffer { labels in
          for y in 0..<size.height {
            for x in 0..<size.width {
              let i = y * size.width + x
              let own = labels[i]
              let right = x + 1 < size.width ? labels[i + 1] : own
              let lower = y + 1 < size.height ? labels[i + size.width] : own
              let color: LabelColors.Color
              if own != right || own != lower {
                let shown = own != 0 ? own : right != 0 ? right : lower
                color = LabelColors.color(of: shown)
              } else {
                let grey = brightness(pixels[i])
                color = (grey, grey, grey)
              }
              output[3 * i] = color.red
              output[3 * i + 1] = color.green
              output[3 * i + 2] = color.blue
            }
          }
        }
      }
    }
  }
}
