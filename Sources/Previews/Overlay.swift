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
  ///   - image: `[row, column]` of the same extents, any range of values. It is grey or, with a second
  ///     one, blue.
  ///   - second: another channel, likewise, in green.
  ///   - maximumPixels: larger images are scaled down; outlines are drawn afterwards and so stay one
  ///     pixel wide.
  /// - Returns: `[row, column, 3]`, red, green and blue.
  /// - Throws: ``ArrayError`` when the extents differ, or one of them is 0.
  public static func outlines(
    of labels: NDArray<Int32>, over image: NDArray<Float>, and second: NDArray<Float>? = nil,
    maximumPixels: Int = PictureSize.defaultMaximumPixels
  ) throws(ArrayError) -> NDArray<UInt8> {
    guard image.rank == 2, image.shape == labels.shape, image.count > 0,
      second.map({ $0.shape == labels.shape }) ?? true
    else {
      throw ArrayError(
        .shapeMismatch,
        "labels of shape \(labels.shape.tupleDescription) cannot be drawn over an image of shape "
          + [image.shape, second?.shape].compactMap { $0?.tupleDescription }.joined(
            separator: " and "))
    }
    let size = PictureSize(
      height: image.shape[0], width: image.shape[1], maximumPixels: maximumPixels)
    let background = background(of: image.averaged(to: size), second?.averaged(to: size))
    let labels = labels.nearest(to: size)
    return NDArray(uninitialized: [size.height, size.width, 3]) { output in
      background.withUnsafeBuffer { pixels in
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
                color = (pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2])
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

  /// The picture without outlines: `[row, column, 3]`.
  private static func background(
    of first: NDArray<Float>, _ second: NDArray<Float>?
  ) -> NDArray<UInt8> {
    let grey = first.map(ContrastStretch(first).callAsFunction)
    let green = second.map { $0.map(ContrastStretch($0).callAsFunction) }
    return NDArray(uninitialized: first.shape + [3]) { output in
      grey.withUnsafeBuffer { grey in
        guard let green else {
          for i in output.indices { output[i] = grey[i / 3] }
          return
        }
        green.withUnsafeBuffer { green in
          for i in grey.indices {
            // Pure blue is too dark to see structure in.
            output[3 * i] = grey[i] / 4
            output[3 * i + 1] = max(grey[i] / 2, green[i] / 4 * 3)
            output[3 * i + 2] = grey[i]
          }
        }
      }
    }
  }
}
