import Arrays
import ImageAlgorithms
import TestSupport
import Testing

@Suite(.computing) struct PreprocessingTests {
  @Test(arguments: 0..<60) func `evened contrast is between 0 and 1 and finite`(seed: Int) throws {
    var random = RandomImages(seed: seed)
    let (rows, columns) = random.size(upTo: 60)
    let map = random.map(rows, columns).map { $0 * 1000 - 300 }
    let kernel = seed % 2 == 0 ? nil : random.integer(1...40)
    let result = try histogramNormalization(
      map.reshaped(to: [1, rows, columns, 1]), kernelSize: kernel)
    #expect(result.shape == [1, rows, columns, 1])
    #expect(result.elements.allSatisfy { $0 >= 0 && $0 <= 1 })
    if Set(map.elements).count == 1 { #expect(result.elements.allSatisfy { $0 == 0 }) }
  }

  @Test(arguments: 0..<30) func `channels and images do not influence each other`(
    seed: Int
  ) throws {
    var random = RandomImages(seed: seed)
    let planes = (0..<4).map { _ in random.map(21, 33) }
    var stack = NDArray<Float>(shape: [2, 21, 33, 2])
    for row in 0..<21 {
      for column in 0..<33 {
        for (index, plane) in planes.enumerated() {
          stack[index / 2, row, column, index % 2] = plane[row, column]
        }
      }
    }
    let together = try histogramNormalization(stack)
    let normal = try normalized(stack)
    for (index, plane) in planes.enumerated() {
      let single = try plane.reshaped(to: [1, 21, 33, 1])
      #expect(
        try together.slice(index / 2).channel(index % 2)
          == histogramNormalization(single).slice(0).channel(0))
      #expect(
        try normal.slice(index / 2).channel(index % 2) == normalized(single).slice(0).channel(0))
    }
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func `a pixel that is no number is refused and its channel named`(value: Float) throws {
    var image = NDArray<Float>(shape: [2, 9, 9, 3], elements: (0..<486).map(Float.init))
    image[1, 8, 3, 2] = value
    let error = #expect(throws: ImageError.self) { try histogramNormalization(image) }
    #expect(error?.code == .notFinite)
    #expect(error?.reason.contains("channel 2 of frame 1") == true)
  }

  @Test func `values too far apart to subtract are refused`() throws {
    let far: Float = 3e38
    let image = NDArray<Float>(shape: [1, 1, 2, 1], elements: [-far, far])
    #expect(throws: ImageError.self) { try histogramNormalization(image) }
  }

  @Test(arguments: [0, -1, 4097]) func `a kernel out of range is refused`(kernel: Int) {
    let error = #expect(throws: ImageError.self) {
      try histogramNormalization(NDArray(shape: [1, 4, 4, 1]), kernelSize: kernel)
    }
    #expect(error?.code == .invalidParameter)
  }

  @Test(arguments: [[0, 4, 4, 1], [1, 0, 4, 1], [1, 4, 0, 2], [1, 4, 4, 0]])
  func `images without pixels stay without pixels`(shape: Shape) throws {
    let image = NDArray<Float>(shape: shape)
    #expect(try histogramNormalization(image) == image)
    #expect(try normalized(image) == image)
  }

  @Test(arguments: 0..<60) func `resizing keeps constants and never leaves the range`(
    seed: Int
  ) throws {
    var random = RandomImages(seed: seed)
    let (rows, columns) = random.size(upTo: 40)
    let channels = random.integer(1...3)
    let (newRows, newColumns) = random.size(upTo: 60)
    let image = NDArray<Float>(
      shape: [1, rows, columns, channels],
      elements: (0..<(rows * columns * channels)).map { _ in 5 + random.unit() })
    let result = try resized(image, rows: newRows, columns: newColumns)
    #expect(result.shape == [1, newRows, newColumns, channels])
    let (low, high) = (image.elements.min() ?? 0, image.elements.max() ?? 0)
    // Several channels fade to 0 at the edges.
    #expect(result.elements.allSatisfy { ($0 >= low || channels > 1 && $0 >= 0) && $0 <= high })
    if channels == 1 {
      let flat = NDArray<Float>(shape: [1, rows, columns, 1], repeating: 0.1)
      #expect(
        try resized(flat, rows: newRows, columns: newColumns).elements.allSatisfy { $0 == 0.1 })
    }
    #expect(try resized(image, rows: rows, columns: columns) == image)
  }

  @Test(arguments: 0..<60) func `resizing labels invents none`(seed: Int) throws {
    var random = RandomImages(seed: seed)
    let (rows, columns) = random.size(upTo: 30)
    let labels = random.labels(rows, columns)
    for channels in 1...2 {
      let stack = NDArray<Int32>(
        shape: [1, rows, columns, channels],
        elements: labels.elements.flatMap { Array(repeating: $0, count: channels) })
      let (newRows, newColumns) = random.size(upTo: 60)
      let result = try resizedLabels(stack, rows: newRows, columns: newColumns)
      #expect(Set(result.elements).isSubset(of: Set(labels.elements)))
      // Whole factors repeat each pixel.
      let double = try resizedLabels(stack, rows: 2 * rows, columns: 3 * columns)
      for (row, column) in Naive.pixels(labels) {
        #expect(double[0, 2 * row + 1, 3 * column + 2, channels - 1] == labels[row, column])
      }
    }
  }

  @Test func `resizing to nothing is refused`() {
    #expect(throws: ImageError.self) {
      try resized(NDArray(shape: [1, 4, 4, 1]), rows: 0, columns: 4)
    }
    #expect(throws: ImageError.self) {
      try resizedLabels(NDArray(shape: [1, 0, 4, 1]), rows: 2, columns: 4)
    }
  }

  @Test(arguments: 0..<40) func `a Gaussian is the weighted sum over its window`(seed: Int) throws {
    var random = RandomImages(seed: seed)
    let (rows, columns) = random.size(upTo: 12)
    let image = random.map(rows, columns)
    let sigma = Double(random.integer(1...12)) / 4
    let half = gaussianHalfKernel(sigma: sigma)
    let result = try gaussian(image, sigma: sigma)
    func mirrored(_ i: Int, _ n: Int) -> Int {
      var i = i
      while i < 0 || i >= n { i = i < 0 ? -1 - i : 2 * n - 1 - i }
      return i
    }
    for (row, column) in Naive.pixels(image) {
      var sum = 0.0
      for y in (1 - half.count)..<half.count {
        for x in (1 - half.count)..<half.count {
          sum +=
            half[abs(y)] * half[abs(x)]
            * Double(image[mirrored(row + y, rows), mirrored(column + x, columns)])
        }
      }
      #expect(abs(sum - Double(result[row, column])) < 1e-6)
    }
  }
}
