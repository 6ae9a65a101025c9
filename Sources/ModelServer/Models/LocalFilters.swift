import Arrays
import ImageAlgorithms

/// Filters over square windows. Beyond the edge the image is mirrored.
enum LocalFilters {
  /// The mean over windows of `size` pixels squared; `size` is odd.
  static func mean(_ image: NDArray<Float>, size: Int) -> NDArray<Float> {
    let scale = 1 / Float(size)
    return alongBothAxes(image, radius: size / 2) { line, radius, output in
      var sum: Float = 0
      for i in 0..<2 * radius { sum += line[i] }
      for i in output.indices {
        sum += line[i + 2 * radius]
        output[i] = sum * scale
        sum -= line[i]
      }
    }
  }

  /// The least value in windows of `size` pixels squared; `size` is odd.
  static func minimum(_ image: NDArray<Float>, size: Int) -> NDArray<Float> {
    extremum(image, size: size) { min($0, $1) }
  }

  /// The greatest value in windows of `size` pixels squared; `size` is odd.
  static func maximum(_ image: NDArray<Float>, size: Int) -> NDArray<Float> {
    extremum(image, size: size) { max($0, $1) }
  }

  /// Two running extrema per block of `size` pixels, one from each end, meet in every window.
  private static func extremum(
    _ image: NDArray<Float>, size: Int, _ better: (Float, Float) -> Float
  ) -> NDArray<Float> {
    alongBothAxes(image, radius: size / 2) { line, radius, output in
      let size = 2 * radius + 1
      var forward = Array(line)
      var backward = Array(line)
      for i in forward.indices where i % size != 0 {
        forward[i] = better(forward[i], forward[i - 1])
      }
      for i in backward.indices.reversed() where (i + 1) % size != 0 && i + 1 < backward.count {
        backward[i] = better(backward[i], backward[i + 1])
      }
      for i in output.indices { output[i] = better(backward[i], forward[i + 2 * radius]) }
    }
  }

  /// Filters each row, then each column.
  ///
  /// - Parameter filter: gets a line with `radius` mirrored pixels at both ends, and where to write.
  private static func alongBothAxes(
    _ image: NDArray<Float>, radius: Int,
    _ filter: (UnsafeBufferPointer<Float>, Int, UnsafeMutableBufferPointer<Float>) -> Void
  ) -> NDArray<Float> {
    func alongRows(_ image: NDArray<Float>) -> NDArray<Float> {
      let (rows, columns) = (image.shape[0], image.shape[1])
      let source = (-radius..<columns + radius).map { mirrored($0, columns) }
      var line = [Float](repeating: 0, count: source.count)
      return NDArray(uninitialized: image.shape) { output in
        image.withUnsafeBuffer { input in
          for row in 0..<rows {
            let start = row * columns
            for (i, column) in source.enumerated() { line[i] = input[start + column] }
            let target = UnsafeMutableBufferPointer(rebasing: output[start..<start + columns])
            line.withUnsafeBufferPointer { filter($0, radius, target) }
          }
        }
      }
    }
    return alongRows(alongRows(image).transposed([1, 0])).transposed([1, 0])
  }

  /// `b a | a b c | c b`
  private static func mirrored(_ index: Int, _ count: Int) -> Int {
    let period = 2 * count
    let i = ((index % period) + period) % period
    return i < count ? i : period - 1 - i
  }
}
