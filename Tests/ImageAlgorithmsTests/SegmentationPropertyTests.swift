import Arrays
import ImageAlgorithms
import TestSupport
import Testing

@Suite(.computing) struct SegmentationPropertyTests {
  @Test(arguments: 0..<200) func `tops are those of the reconstruction`(seed: Int) throws {
    var random = RandomImages(seed: seed)
    let (rows, columns) = random.size()
    let image = random.map(rows, columns)
    let h: Float = [0.1, 0.25, 0.075, 1e-6, 0.5][random.integer(0...4)]
    let radius = random.integer(0...4)
    let tops = try hMaxima(image, h: Double(h), radius: radius)
    #expect(tops == Naive.hMaxima(image, h: h, radius: radius))
  }

  @Test(arguments: 0..<60) func `tops are the same at any offset and brightness`(seed: Int) throws {
    var random = RandomImages(seed: seed)
    // Far from 0 the numbers are sparse, close to it they are dense.
    let offset: Float = [-0.1, 0.1, 1e-3, -1e4, 1e6, 1e-30][random.integer(0...5)]
    let image = random.map(12, 15).map { $0 + offset }
    #expect(
      try hMaxima(image, h: 0.1, radius: 2) == Naive.hMaxima(image, h: 0.1, radius: 2))
  }

  @Test(arguments: 0..<200) func `components are those of a flood fill`(seed: Int) throws {
    var random = RandomImages(seed: seed)
    let (rows, columns) = random.size(upTo: 40)
    let mask = random.mask(rows, columns)
    for connectivity in Connectivity.allCases {
      let result = try connectedComponents(mask, connectivity: connectivity)
      let naive = Naive.components(mask, steps: connectivity == .four ? Naive.four : Naive.eight)
      #expect(result.labels == naive.labels)
      #expect(result.count == naive.count)
    }
  }

  @Test(arguments: 0..<400) func `a watershed is that of a single heap`(seed: Int) throws {
    var random = RandomImages(seed: seed)
    let (rows, columns) = random.size(upTo: 30)
    var heights = random.map(rows, columns)
    if seed % 5 == 0 { heights = heights.map { $0 * 100 - 50 } }
    if seed % 7 == 0 { heights = heights.map { $0 < 0.2 ? -.infinity : $0 } }
    let mask = random.integer(0...1) == 0 ? random.mask(rows, columns) : heights.map { $0 > 0.1 }
    let density = random.unit() * 0.2
    let markers = NDArray<Int32>(
      shape: [rows, columns],
      elements: (0..<(rows * columns)).map { _ in
        random.unit() < density ? Int32(random.integer(1...9)) : 0
      })
    #expect(
      try watershed(descending: heights, markers: markers, mask: mask)
        == Naive.watershed(heights, markers, mask))
    #expect(
      try watershed(descending: heights.map { Double($0) }, markers: markers, mask: mask)
        == Naive.watershed(heights, markers, mask))
  }

  @Test(arguments: 0..<40) func `new names for the markers are new names for the labels`(
    seed: Int
  ) throws {
    var random = RandomImages(seed: seed)
    let heights = random.map(25, 31)
    let mask = heights.map { $0 > 0.05 }
    let markers = try connectedComponents(
      hMaxima(heights, h: 0.1, radius: 2), connectivity: .eight)
    let names = [0] + (1...max(markers.count, 1)).map { Int32($0) }.shuffled(using: &random)
    let labels = try watershed(descending: heights, markers: markers.labels, mask: mask)
    let renamed = try watershed(
      descending: heights, markers: markers.labels.map { names[Int($0)] }, mask: mask)
    #expect(renamed == labels.map { names[Int($0)] })
  }

  @Test(arguments: 0..<300) func `holes are filled as by the definition`(seed: Int) throws {
    var random = RandomImages(seed: seed)
    let (rows, columns) = random.size()
    let labels = random.labels(rows, columns)
    let area = random.integer(0...20)
    #expect(
      try fillHoles(labels, maximumArea: area) == Naive.fillHoles(labels, maximumArea: area))
  }

  @Test(arguments: 0..<50) func `huge label numbers are handled like small ones`(
    seed: Int
  ) throws {
    var random = RandomImages(seed: seed)
    let labels = random.labels(14, 17)
    let names: [Int32] = [0, 3, 70_000, 1_000_000_000, 2_000_000_000, Int32.max]
    let huge = labels.map { names[Int($0)] }
    #expect(
      try removeSmallObjects(huge, minimumArea: 9)
        == removeSmallObjects(labels, minimumArea: 9).map { names[Int($0)] })
    #expect(
      try fillHoles(huge, maximumArea: 9)
        == fillHoles(labels, maximumArea: 9).map { names[Int($0)] })
    #expect(try relabelSequential(huge) == relabelSequential(labels))
  }

  @Test(arguments: 0..<50) func `deep watershed treats images of a batch independently`(
    seed: Int
  ) throws {
    var random = RandomImages(seed: seed)
    let maps = (0..<3).map { _ in random.map(20, 23) }
    let parameters: DeepWatershedParameters = seed % 2 == 0 ? .nuclear : .mesmerWholeCell
    let stack = NDArray<Float>(shape: [3, 20, 23, 1], elements: maps.flatMap(\.elements))
    let together = try deepWatershed(maxima: stack, interior: stack, parameters: parameters)
    for (index, map) in maps.enumerated() {
      let single = try map.reshaped(to: [1, 20, 23, 1])
      let alone = try deepWatershed(maxima: single, interior: single, parameters: parameters)
      #expect(together.slice(index) == alone.slice(0))
      let labels = Set(alone.elements)
      #expect(labels == Set((0...(labels.max() ?? 0)).filter { $0 > 0 || labels.contains(0) }))
    }
  }

  @Test(arguments: 0..<60) func `distances are the least to any pixel outside`(seed: Int) throws {
    var random = RandomImages(seed: seed)
    let (rows, columns) = random.size()
    let mask =
      seed % 10 == 0
      ? NDArray(shape: [rows, columns], repeating: true) : random.mask(rows, columns)
    let outside = Naive.pixels(mask).filter { !mask[$0.row, $0.column] }
    let distances = try distanceTransform(mask)
    for (row, column) in Naive.pixels(mask) {
      let squares = outside.map {
        ($0.row - row) * ($0.row - row) + ($0.column - column) * ($0.column - column)
      }
      let expected = squares.min().map { Float(Double($0).squareRoot()) } ?? .infinity
      #expect(distances[row, column] == expected)
    }
  }

  @Test(arguments: 0..<100) func `local maxima are apart and nothing around them is greater`(
    seed: Int
  ) throws {
    var random = RandomImages(seed: seed)
    let (rows, columns) = random.size()
    let image = random.map(rows, columns)
    let distance = random.integer(1...4)
    let peaks = try localMaxima(
      image, minimumDistance: distance, threshold: 0.2, excludesBorder: false)
    for peak in peaks {
      let value = image[peak.row, peak.column]
      #expect(value > 0.2)
      for (row, column) in Naive.pixels(image)
      where abs(row - peak.row) <= distance && abs(column - peak.column) <= distance {
        #expect(image[row, column] <= value)
      }
    }
    for (i, a) in peaks.enumerated() {
      for b in peaks[..<i] {
        #expect(abs(a.row - b.row) >= distance || abs(a.column - b.column) >= distance)
      }
    }
  }
}
