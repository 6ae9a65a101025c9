import Arrays

/// A rectangle of an image.
struct Part {
  let rows: Range<Int>
  let columns: Range<Int>

  /// - Parameter image: `[row, column]`; the rectangle lies within.
  func cut(from image: NDArray<Float>) -> NDArray<Float> {
    let width = image.shape[1]
    return NDArray(uninitialized: [rows.count, columns.count]) { output in
      image.withUnsafeBuffer { input in
        for row in rows {
          _ = output[((row - rows.lowerBound) * columns.count)...].update(
            fromContentsOf:
              input[row * width + columns.lowerBound..<row * width + columns.upperBound])
        }
      }
    }
  }
}
