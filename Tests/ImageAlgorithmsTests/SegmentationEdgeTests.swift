import Arrays
import ImageAlgorithms
import TestSupport
import Testing

@Suite(.computing) struct SegmentationEdgeTests {
  @Test(arguments: [[0, 5], [5, 0], [0, 0], [1, 1], [1, 9], [9, 1]])
  func `images of no or one row, column or pixel are processed`(shape: Shape) throws {
    let map = NDArray<Float>(shape: shape, repeating: 0.5)
    let mask = NDArray<Bool>(shape: shape, repeating: true)
    let labels = NDArray<Int32>(shape: shape, repeating: 1)
    #expect(try hMaxima(map, h: 0.1, radius: 10).elements.allSatisfy { !$0 })
    #expect(try connectedComponents(mask, connectivity: .eight).count == min(map.count, 1))
    #expect(try watershed(descending: map, markers: labels, mask: mask) == labels)
    #expect(try fillHoles(labels, maximumArea: 5) == labels)
    #expect(try removeSmallObjects(labels, minimumArea: 1) == labels)
    #expect(try relabelSequential(labels).labels == labels)
    #expect(try erodeEdges(labels, width: 3) == labels)
    #expect(try localMaxima(map, threshold: 0).isEmpty)
    #expect(try distanceTransform(mask).shape == shape)
    #expect(try gaussian(map, sigma: 2).shape == shape)
    let stack = try map.reshaped(to: [1] + shape + [1])
    #expect(
      try deepWatershed(maxima: stack, interior: stack, parameters: .mesmerWholeCell).shape
        == stack.shape)
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func `maps with values that are no numbers are refused`(value: Float) throws {
    var map = NDArray<Float>(shape: [1, 20, 20, 1], elements: (0..<400).map { Float($0) / 400 })
    let good = map
    map[0, 7, 7, 0] = value
    for (maxima, interior, name) in [(map, good, "maxima"), (good, map, "interior")] {
      let error = #expect(throws: ImageError.self) {
        try deepWatershed(maxima: maxima, interior: interior, parameters: .nuclear)
      }
      #expect(error?.code == .notFinite)
      #expect(error?.reason.contains(name) == true)
    }
    let plane = try map.reshaped(to: [20, 20])
    #expect(throws: ImageError.self) { try hMaxima(plane, h: 0.1, radius: 2) }
    #expect(throws: ImageError.self) { try localMaxima(plane, threshold: 0) }
    _ = try gaussian(plane, sigma: 1)
  }

  @Test func `a watershed refuses heights that are NaN and markers that are negative`() throws {
    let mask = NDArray<Bool>(shape: [2, 2], repeating: true)
    let heights = NDArray<Float>(shape: [2, 2], elements: [1, 2, .nan, 3])
    #expect(throws: ImageError.self) {
      try watershed(descending: heights, markers: NDArray(shape: [2, 2]), mask: mask)
    }
    #expect(throws: ImageError.self) {
      try watershed(
        descending: NDArray<Float>(shape: [2, 2]),
        markers: NDArray(shape: [2, 2], repeating: -1), mask: mask)
    }
    #expect(throws: ImageError.self) {
      try relabelSequential(NDArray(shape: [1, 1], repeating: -1))
    }
  }

  @Test func `arrays of other shapes are refused with both shapes`() throws {
    let error = #expect(throws: ImageError.self) {
      try watershed(
        descending: NDArray<Float>(shape: [4, 5]), markers: NDArray(shape: [5, 4]),
        mask: NDArray(shape: [4, 5]))
    }
    #expect(error?.reason == "the markers must have the shape (4, 5), not (5, 4)")
    #expect(throws: ImageError.self) { try gaussian(NDArray<Float>(shape: [4]), sigma: 1) }
    #expect(throws: ImageError.self) {
      try deepWatershed(
        maxima: NDArray<Float>(shape: [1, 4, 4, 1]), interior: NDArray(shape: [1, 4, 5, 1]),
        parameters: .nuclear)
    }
    #expect(throws: ImageError.self) {
      try deepWatershed(
        maxima: NDArray<Float>(shape: [1, 4, 4, 0]), interior: NDArray(shape: [1, 4, 4, 1]),
        parameters: .nuclear)
    }
  }

  @Test(arguments: [0.0, -1, .nan, .infinity])
  func `a height out of range is refused`(h: Double) {
    #expect(throws: ImageError.self) {
      try hMaxima(NDArray<Float>(shape: [2, 2]), h: h, radius: 1)
    }
  }

  /// Each of these would take hours if floods did not share what they find. The limit tells hours from
  /// seconds; it counts the wait for a free thread too.
  @Test(.timeLimit(.minutes(15)), arguments: 0..<4)
  func `wide plateaus end`(kind: Int) throws {
    let side = 260
    var random = RandomImages(seed: kind)
    let image = NDArray<Float>(
      shape: [side, side],
      elements: (0..<(side * side)).map { index in
        switch kind {
        case 0: Float(index == side * side - 1 ? 1 : 0)  // one plateau below one peak
        case 1: (random.unit() * 2).rounded() / 2
        case 2: Float(index / side) / Float(side)  // a ramp of rows
        default: 0.9 + 1e-6 * random.unit() - Float(index == 0 ? 1 : 0)  // within the tolerance
        }
      })
    let tops = try hMaxima(image, h: 0.1, radius: 10)
    switch kind {
    case 0: #expect(tops.elements.count { $0 } == 1 && tops[side - 1, side - 1])
    case 1: #expect(tops == image.map { $0 == 1 })
    case 2:
      #expect(Naive.pixels(tops).allSatisfy { tops[$0.row, $0.column] == ($0.row == side - 1) })
    default: #expect(tops.elements.contains(true) && !tops[0, 0])
    }
  }
}
