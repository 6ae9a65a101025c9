import Arrays

/// Pictures of label images, which ordinary viewers show black: their numbers are small.
public enum LabelPicture {
  /// Draws each label in its colour, on black.
  ///
  /// - Parameters:
  ///   - labels: `[row, column]`; 0 is background.
  ///   - maximumPixels: larger images are scaled down; each pixel has the colour of the nearest.
  /// - Returns: `[row, column, 3]`, red, green and blue.
  /// - Throws: ``ArrayError`` when `labels` has another rank or no pixels.
  public static func draw(
    _ labels: NDArray<Int32>, maximumPixels: Int = PictureSize.defaultMaximumPixels
  ) throws(ArrayError) -> NDArray<UInt8> {
    guard labels.rank == 2, labels.count > 0 else {
      throw ArrayError(
        .shapeMismatch, "labels of shape \(labels.shape.tupleDescription) are no picture")
    }
    let size = PictureSize(
      height: labels.shape[0], width: labels.shape[1], maximumPixels: maximumPixels)
    let labels = labels.nearest(to: size)
    return NDArray(uninitialized: [size.height, size.width, 3]) { output in
      labels.withUnsafeBuffer { labels in
        for i in 0..<labels.count {
          let color: LabelColors.Color =
            labels[i] == 0 ? (0, 0, 0) : LabelColors.color(of: labels[i])
          output[3 * i] = color.red
          output[3 * i + 1] = color.green
          output[3 * i + 2] = color.blue
        }
      }
    }
  }
}
