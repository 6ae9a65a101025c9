import Arrays

/// A field of cells as a segmentation model would see it: an image and the two maps it answers.
struct SyntheticFrame {
  /// `[row, column]` each.
  let image: NDArray<Float>
  let maxima: NDArray<Float>
  let interior: NDArray<Float>
  /// 0 to 1, each pixel by itself.
  let noise: NDArray<Float>

  /// Cells of 7 to 13 pixels' radius on a jittered grid, some of them touching.
  init(size: Int, seed: UInt64) {
    var random = Generator(state: seed)
    var maxima = [Float](repeating: 0, count: size * size)
    var interior = [Float](repeating: 0, count: size * size)
    var image = [Float](repeating: 0, count: size * size)
    let spacing = 24
    for cellRow in 0..<(size / spacing) {
      for cellColumn in 0..<(size / spacing) where random.unit() < 0.85 {
        let centerRow = (Float(cellRow) + 0.3 + 0.4 * random.unit()) * Float(spacing)
        let centerColumn = (Float(cellColumn) + 0.3 + 0.4 * random.unit()) * Float(spacing)
        let radius = 7 + 6 * random.unit()
        let stretch = 0.8 + 0.4 * random.unit()
        let brightness = 400 + 1200 * random.unit()
        for row in max(0, Int(centerRow) - 18)..<min(size, Int(centerRow) + 18) {
          for column in max(0, Int(centerColumn) - 18)..<min(size, Int(centerColumn) + 18) {
            let dy = (Float(row) - centerRow) * stretch
            let dx = (Float(column) - centerColumn) / stretch
            let distance = (dy * dy + dx * dx).squareRoot() / radius
            guard distance < 1.3 else { continue }
            let i = row * size + column
            maxima[i] = max(maxima[i], 1 / (1 + 3 * distance * distance) - 0.16)
            interior[i] = max(interior[i], 1 - distance)
            if distance < 1 { image[i] = max(image[i], brightness * (1.1 - distance * distance)) }
          }
        }
      }
    }
    for i in 0..<(size * size) {
      maxima[i] = max(maxima[i] + 0.01 * random.unit(), 0)
      interior[i] = max(interior[i] + 0.005 * random.unit(), 0)
      image[i] = (image[i] + 200 + 40 * random.unit()).rounded()
    }
    let shape = [size, size]
    noise = NDArray(shape: shape, elements: (0..<(size * size)).map { _ in random.unit() })
    self.image = NDArray(shape: shape, elements: image)
    self.maxima = NDArray(shape: shape, elements: maxima)
    self.interior = NDArray(shape: shape, elements: interior)
  }
}

extension SyntheticFrame {
  /// Three classes, `[1, row, column, class]`: edge, interior, background.
  var classes: NDArray<Float> {
    stacked(3) { interior, _, scores in
      let edge = max(0, 1 - abs(interior - 0.15) * 8)
      scores[0] = edge
      scores[1] = max(0, min(interior * 4, 1) - edge / 2)
      scores[2] = max(0, 1 - interior * 20)
    }
  }

  /// Four steps inwards, `[1, row, column, step]`, the first being background.
  var distanceBins: NDArray<Float> {
    stacked(4) { interior, noise, scores in
      for step in 0..<4 {
        scores[step] = max(0, 1 - abs(interior * 5 - Float(step)) + 0.01 * noise)
      }
    }
  }

  private func stacked(
    _ channels: Int,
    _ fill: (_ interior: Float, _ noise: Float, UnsafeMutablePointer<Float>) -> Void
  ) -> NDArray<Float> {
    NDArray(uninitialized: [1] + interior.shape + [channels]) { output in
      interior.withUnsafeBuffer { interior in
        noise.withUnsafeBuffer { noise in
          for i in interior.indices {
            fill(interior[i], noise[i], output.baseAddress! + i * channels)
          }
        }
      }
    }
  }
}

/// Numbers that are the same on every run.
struct Generator {
  var state: UInt64

  mutating func unit() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(state >> 40) / Float(1 << 24)
  }
}
