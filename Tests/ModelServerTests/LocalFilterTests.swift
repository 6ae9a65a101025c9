import Arrays
import TestSupport
import Testing

@testable import ClassicalModels

@Suite(.computing) struct LocalFilterTests {
  private static func image(_ seed: Int) -> (NDArray<Float>, size: Int) {
    var generator = SeededGenerator(seed: seed)
    let shape = [
      Int.random(in: 1...12, using: &generator), Int.random(in: 1...12, using: &generator),
    ]
    let image = NDArray<Float>(uninitialized: shape) { output in
      for i in output.indices { output[i] = .random(in: -1...1, using: &generator) }
    }
    return (image, 2 * Int.random(in: 0...8, using: &generator) + 1)
  }

  /// Values in the window around each pixel, mirrored beyond the edges.
  private static func windows(_ image: NDArray<Float>, _ size: Int) -> [[Float]] {
    let (rows, columns) = (image.shape[0], image.shape[1])
    func mirrored(_ index: Int, _ count: Int) -> Int {
      var i = index
      while !(0..<count).contains(i) { i = i < 0 ? -1 - i : 2 * count - 1 - i }
      return i
    }
    let reach = -(size / 2)...size / 2
    return (0..<rows * columns).map { i in
      reach.flatMap { y in
        reach.map { x in image[mirrored(i / columns + y, rows), mirrored(i % columns + x, columns)]
        }
      }
    }
  }

  @Test(arguments: 0..<60) func `filters see the window and no more`(seed: Int) throws {
    let (image, size) = Self.image(seed)
    let windows = Self.windows(image, size)
    #expect(LocalFilters.maximum(image, size: size).elements == windows.map { $0.max() })
    #expect(LocalFilters.minimum(image, size: size).elements == windows.map { $0.min() })
    for (mean, window) in zip(LocalFilters.mean(image, size: size).elements, windows) {
      #expect(abs(mean - window.reduce(0, +) / Float(window.count)) < 1e-5)
    }
  }

  @Test(arguments: 0..<20) func `a coarse grid keeps what is even or linear`(seed: Int) {
    var generator = SeededGenerator(seed: seed)
    let shape = [
      4 * Int.random(in: 1...6, using: &generator), 4 * Int.random(in: 1...6, using: &generator),
    ]
    let slope = Float.random(in: -1...1, using: &generator)
    let plane = NDArray<Float>(uninitialized: shape) { output in
      for i in output.indices { output[i] = 3 + slope * Float(i % shape[1]) }
    }
    let back = CoarseGrid(meanOf: plane).interpolated(to: shape)
    // Beyond the centres of the outermost cells there is nothing to interpolate.
    for row in 0..<shape[0] {
      for column in 2..<max(shape[1] - 2, 2) {
        #expect(abs(back[row, column] - plane[row, column]) < 1e-4)
      }
    }
  }
}
