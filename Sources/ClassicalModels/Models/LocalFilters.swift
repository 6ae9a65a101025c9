import Arrays

/// Filters over square windows.
enum LocalFilters {
  /// The mean over windows of `size` pixels squared; `size` is odd. Beyond its edges the image is
  /// mirrored.
  static func mean(_ image: NDArray<Float>, size: Int) -> NDArray<Float> {
    let (rows, columns) = (image.shape[0], image.shape[1])
    let radius = size / 2
    let scale = 1 / Double(size * size)
    return NDArray(uninitialized: image.shape) { output in
      image.withUnsafeBuffer { input in
        // Sums over the height of a window for each column, with mirrored columns on both sides. In
        // Double, so that taking out what went in leaves nothing behind.
        withUnsafeTemporaryAllocation(of: Double.self, capacity: columns + 2 * radius) { sums in
          sums.initialize(repeating: 0)
          let inside = sums.baseAddress! + radius
          func add(_ row: Int, _ sign: Double) {
            let line = input.baseAddress! + mirrored(row, rows) * columns
            for x in 0..<columns { inside[x] += sign * Double(line[x]) }
          }
          for row in -radius..<radius { add(row, 1) }
          for row in 0..<rows {
            add(row + radius, 1)
            for x in 1...max(radius, 1) where radius > 0 {
              inside[-x] = inside[mirrored(-x, columns)]
              inside[columns - 1 + x] = inside[mirrored(columns - 1 + x, columns)]
            }
            var sum = 0.0
            for x in 0..<2 * radius { sum += sums[x] }
            let target = output.baseAddress! + row * columns
            for x in 0..<columns {
              sum += sums[x + 2 * radius]
              target[x] = Float(sum * scale)
              sum -= sums[x]
            }
            add(row - radius, -1)
          }
        }
      }
    }
  }

  /// The least value in windows of `size` pixels squared; `size` is odd.
  static func minimum(_ image: NDArray<Float>, size: Int) -> NDArray<Float> {
    maximum(image.map { -$0 }, size: size).map { -$0 }
  }

  /// The greatest value in windows of `size` pixels squared; `size` is odd.
  ///
  /// Line against line, for windows that are small or images that are.
  static func maximum(_ image: NDArray<Float>, size: Int) -> NDArray<Float> {
    let (rows, columns) = (image.shape[0], image.shape[1])
    let radius = size / 2
    return NDArray(uninitialized: image.shape) { output in
      image.withUnsafeBuffer { input in
        withUnsafeTemporaryAllocation(of: Float.self, capacity: columns) { line in
          for row in 0..<rows {
            for x in 0..<columns { line[x] = input[row * columns + x] }
            for other in max(row - radius, 0)...min(row + radius, rows - 1) {
              let source = input.baseAddress! + other * columns
              for x in 0..<columns { line[x] = source[x] > line[x] ? source[x] : line[x] }
            }
            let target = output.baseAddress! + row * columns
            for x in 0..<columns { target[x] = line[x] }
            for d in 1...max(radius, 1) where radius > 0 && d < columns {
              for x in d..<columns { target[x] = line[x - d] > target[x] ? line[x - d] : target[x] }
              for x in 0..<columns - d {
                target[x] = line[x + d] > target[x] ? line[x + d] : target[x]
              }
            }
          }
        }
      }
    }
  }

  /// `b a | a b c | c b`
  private static func mirrored(_ index: Int, _ count: Int) -> Int {
    let period = 2 * count
    let i = ((index % period) + period) % period
    return i < count ? i : period - 1 - i
  }
}
