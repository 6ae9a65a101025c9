import Arrays
import ImageAlgorithms
import TestSupport
import Testing

@Suite(.computing) struct NamedFunctionPropertyTests {
  /// Two images' scores, `[batch, row, column, channel]`: maps of all kinds.
  private func scores(
    _ random: inout RandomImages, channels: Int
  ) -> NDArray<Float> {
    let (rows, columns) = random.size(upTo: 20)
    var scores = NDArray<Float>(shape: [2, rows, columns, channels])
    for item in 0..<2 {
      for channel in 0..<channels {
        let map = random.map(rows, columns)
        for (row, column) in Naive.pixels(map) {
          scores[item, row, column, channel] = map[row, column]
        }
      }
    }
    return scores
  }

  private func labels(_ items: [NDArray<Int32>]) throws -> NDArray<Int32> {
    try .concatenated(items.map { $0.expandingDimensions(at: 0).expandingDimensions(at: 3) })
  }

  @Test(arguments: 0..<200) func `pixelwise labels are those of the definition`(seed: Int) throws {
    var random = RandomImages(seed: seed)
    let scores = scores(&random, channels: random.integer(2...4))
    let (threshold, minimumArea) = (random.unit(), random.integer(0...9))
    let result = try pixelwiseSegmentation(
      scores, threshold: threshold, minimumArea: minimumArea)
    let expected = try labels(
      (0..<2).map {
        Naive.pixelwise(
          scores.slice($0).channel(scores.shape[3] - 2), threshold: threshold,
          minimumArea: minimumArea)
      })
    #expect(result == expected)
  }

  @Test(arguments: 0..<100) func `cells grow as the definition says`(seed: Int) throws {
    var random = RandomImages(seed: seed)
    let scores = scores(&random, channels: random.integer(2...3))
    let minimumArea = random.integer(0...9)
    let result = try interiorEdgeSegmentation(scores, minimumArea: minimumArea)
    let expected = try labels(
      (0..<2).map {
        Naive.interiorEdge(
          edge: scores.slice($0).channel(0), interior: scores.slice($0).channel(1),
          minimumArea: minimumArea)
      })
    #expect(result == expected)
  }

  @Test(arguments: 0..<150) func `distance bins are flooded as the definition says`(
    seed: Int
  ) throws {
    var random = RandomImages(seed: seed)
    var scores = scores(&random, channels: random.integer(2...5))
    if seed % 5 == 0 {
      // No score of the last step rises above another.
      let level = random.unit()
      let channels = scores.shape[3]
      scores.withUnsafeMutableBuffer { scores in
        for i in stride(from: channels - 1, to: scores.count, by: channels) { scores[i] = level }
      }
    }
    let (distance, threshold) = (random.integer(1...5), random.unit() / 2)
    let minimumArea = random.integer(0...9)
    let result = try distanceBinWatershed(
      scores, minimumDistance: distance, threshold: threshold, minimumArea: minimumArea)
    let expected = try labels(
      (0..<2).map {
        Naive.distanceBins(
          scores.slice($0), minimumDistance: distance, threshold: threshold,
          minimumArea: minimumArea)
      })
    #expect(result == expected)
  }

  @Test(arguments: 0..<200) func `a percentile is the value at its place among the sorted`(
    seed: Int
  ) throws {
    var random = RandomImages(seed: seed)
    let (rows, columns) = random.size()
    let sign: Float = seed % 3 == 0 ? -1 : 1
    let image = random.map(rows, columns).map { value -> Float in
      let value = sign * (value * 1000).rounded() / (seed % 2 == 0 ? 1 : 7)
      return value
    }
    let sorted = image.elements.filter { $0 != 0 }.sorted()
    // A percentile that falls on a value, so that there is nothing to round.
    let place = sorted.isEmpty ? 0 : random.integer(0...sorted.count - 1)
    let percentile = sorted.count < 2 ? 50 : 100 * Double(place) / Double(sorted.count - 1)
    let result = try percentileThreshold(
      image.reshaped(to: [1, rows, columns, 1]), percentile: percentile)
    guard !sorted.isEmpty else {
      #expect(result.elements == image.elements)
      return
    }
    let limit = sorted[place]
    for (new, old) in zip(result.elements, image.elements) {
      // The place may be off by a rounding error of the percentage.
      #expect(abs(new - (old > limit ? limit : old)) <= 1e-9 * 1000)
    }
  }

  @Test(arguments: 0..<20) func `one compartment of Mesmer is that of both`(seed: Int) throws {
    var random = RandomImages(seed: seed)
    let (rows, columns) = random.size(upTo: 40)
    func head(_ channels: Int) throws -> NDArray<Float> {
      let maps = (0..<channels).map { _ in random.map(rows, columns) }
      var head = NDArray<Float>(shape: [1, rows, columns, channels])
      for (channel, map) in maps.enumerated() {
        for (row, column) in Naive.pixels(map) { head[0, row, column, channel] = map[row, column] }
      }
      return head
    }
    let heads = try [1, 3, 1, 2].map(head)
    let both = try MesmerPostprocessing(compartment: .both).labels(heads)
    #expect(both.shape == [1, rows, columns, 2])
    let cells = try MesmerPostprocessing(compartment: .wholeCell).labels(heads)
    let nuclei = try MesmerPostprocessing(compartment: .nuclear).labels(heads)
    #expect(both.channel(0) == cells.channel(0) && both.channel(1) == nuclei.channel(0))
    #expect(
      try nuclei
        == deepWatershed(
          maxima: heads[2], interior: heads[3].channel(1).expandingDimensions(at: 3),
          parameters: .mesmerNuclear))
  }

  @Test func `what a job names for Mesmer has parameters of its own`() throws {
    // An interior of 0.4 is a cell, for a nucleus it must be more than 0.6.
    var maxima = NDArray<Float>(shape: [1, 30, 30, 1])
    maxima[0, 15, 15, 0] = 1
    var classes = NDArray<Float>(shape: [1, 30, 30, 3])
    for y in 5..<25 { for x in 5..<25 { classes[0, y, x, 1] = 0.4 } }
    let result = try NamedPostprocessing.multiplexPostprocessConsumer.apply(
      to: [maxima, classes, maxima, classes])
    guard case .labels(let labels) = result else {
      Issue.record("the outputs did not become labels")
      return
    }
    #expect(labels[0, 15, 15, 0] == 1)
    #expect(labels.shape == [1, 30, 30, 1])
    // Smoothed with sigma 2, the edges fall below 0.3, but not below Mesmer's own 0.2.
    let usual = try MesmerPostprocessing().labels([maxima, classes, maxima, classes])
    #expect(labels.elements.count { $0 == 1 } < usual.elements.count { $0 == 1 })
  }
}
