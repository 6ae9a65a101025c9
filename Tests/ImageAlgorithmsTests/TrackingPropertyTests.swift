import Arrays
import TestSupport
import Testing

@testable import ImageAlgorithms

@Suite(.computing) struct TrackingPropertyTests {
  /// Costs of few values tie often.
  private func costs(_ random: inout RandomImages, upTo size: Int) -> NDArray<Double> {
    let n = random.integer(1...size)
    let levels = [1, 2, 4, 1000][random.integer(0...3)]
    return NDArray(
      shape: [n, n],
      elements: (0..<n * n).map { _ in Double(random.integer(-levels...levels)) / 8 })
  }

  @Test(arguments: 0..<100) func `no assignment costs less`(seed: Int) throws {
    var random = RandomImages(seed: seed)
    let costs = costs(&random, upTo: 6)
    let columns = try linearSumAssignment(costs)
    #expect(columns.sorted() == Array(columns.indices))
    let sum = columns.enumerated().map { costs[$0, $1] }.reduce(0, +)
    #expect(sum == Naive.leastSum(costs))
  }

  @Test(arguments: 0..<100) func `equal sums are decided as specified`(seed: Int) throws {
    var random = RandomImages(seed: seed)
    let costs = costs(&random, upTo: 24)
    #expect(try linearSumAssignment(costs) == Naive.assignment(costs))
  }

  @Test(arguments: 0..<50) func `fewer rows than columns get the best of them`(seed: Int) throws {
    var random = RandomImages(seed: seed)
    let (rows, columns) = (random.integer(0...4), random.integer(4...6))
    let costs = NDArray(
      shape: [rows, columns],
      elements: (0..<rows * columns).map { _ in Double(random.integer(0...9)) })
    let chosen = try linearSumAssignment(costs)
    #expect(Set(chosen).count == rows)
    #expect(chosen.enumerated().map { costs[$0, $1] }.reduce(0, +) == Naive.leastSum(costs))
  }

  @Test func `costs that cannot be compared are refused`() {
    let bad: [NDArray<Double>] = [
      NDArray(shape: [2, 1]), NDArray(shape: [2]), NDArray(shape: [1, 1], repeating: .nan),
      NDArray(shape: [1, 1], repeating: .infinity),
    ]
    for costs in bad {
      #expect(throws: ImageError.self) { try linearSumAssignment(costs) }
    }
  }

  @Test(arguments: 0..<100) func `features are those of the definitions`(seed: Int) throws {
    var random = RandomImages(seed: seed)
    let (rows, columns) = random.size()
    let labels = random.labels(rows, columns)
    let image = random.map(rows, columns)
    let size = random.integer(1...9)
    let features = try FrameFeatures(
      of: image, labels: labels, appearance: AppearanceParameters(size: size))
    #expect(features.labels == Set(labels.elements).subtracting([0]).sorted())
    for (index, label) in features.labels.enumerated() {
      let form = Naive.form(of: label, in: labels)
      #expect(abs(Double(features.centroids[index, 0]) - form.centroid.row) < 1e-5)
      #expect(abs(Double(features.centroids[index, 1]) - form.centroid.column) < 1e-5)
      #expect(features.morphologies[index, 0] == Float(form.area))
      #expect(abs(Double(features.morphologies[index, 1]) - form.perimeter) < 1e-4)
      #expect(abs(Double(features.morphologies[index, 2]) - form.eccentricity) < 1e-4)
      let appearance = try Naive.appearance(form, of: image, size: size)
      #expect(features.appearances.slice(index).isClose(to: appearance, absolute: 1e-6))
    }
  }

  @Test(arguments: 0..<60) func `a track is one label, in its frames, with parent and daughters`(
    seed: Int
  ) async throws {
    var random = RandomImages(seed: seed)
    let (movie, labels) = self.movie(&random)
    var scores = random
    var tracker = try CellTracker(
      raw: movie, labels: labels, parameters: TrackingParameters(trackLength: 3, division: 0.6))
    try await tracker.describe { $0.centroids }
    try await tracker.link { comparison in
      let (tracks, cells) = (
        comparison.currentCentroids.shape[2], comparison.futureCentroids.shape[2]
      )
      return NDArray(
        shape: [1, 1, tracks, cells, 3],
        elements: (0..<tracks * cells * 3).map { _ in scores.unit() })
    }
    let result = tracker.result()
    let tracks = result.lineage.tracks
    #expect(tracks.map(\.label) == Array(1..<tracks.count + 1))
    #expect(result.labels.map { $0 > 0 } == labels.map { $0 > 0 })
    for frame in 0..<movie.shape[0] {
      let present = Set(result.labels.slice(frame).elements).subtracting([0])
      let expected = tracks.filter { $0.frames.contains(frame) }.map { Int32($0.label) }
      #expect(present == Set(expected))
      // One label of the input is one track.
      let pairs = Set(
        zip(labels.slice(frame).elements, result.labels.slice(frame).elements).map { [$0, $1] })
      #expect(pairs.subtracting([[0, 0]]).count == present.count)
    }
    for track in tracks {
      #expect(track.frames == track.frames.sorted() && !track.frames.isEmpty)
      #expect(track.isCapped == !track.daughters.isEmpty)
      #expect((track.divisionFrame != nil) == track.isCapped)
      for daughter in track.daughters {
        #expect(tracks[daughter - 1].parent == track.label)
        #expect(tracks[daughter - 1].frames.first == track.divisionFrame)
        #expect((track.frames.last ?? 0) < (track.divisionFrame ?? 0))
      }
      if let parent = track.parent {
        #expect(tracks[parent - 1].daughters.contains(track.label))
      }
    }
  }

  @Test(arguments: 0..<30) func `other labels in the same order change nothing`(seed: Int)
    async throws
  {
    var random = RandomImages(seed: seed)
    let (movie, labels) = movie(&random)
    let (step, huge) = (Int32(random.integer(2...1000)), random.integer(0...1) == 1)
    let others = labels.map { $0 == 0 ? 0 : $0 * step + (huge ? 2_000_000_000 : 0) }
    let (a, b) = (
      try await ModelOfPositions.track(movie, labels),
      try await ModelOfPositions.track(movie, others)
    )
    #expect(a.lineage == b.lineage)
    #expect(a.labels == b.labels)
  }

  /// Some frames without cells, some without background.
  private func movie(
    _ random: inout RandomImages
  ) -> (raw: NDArray<Float>, labels: NDArray<Int32>) {
    let frames = random.integer(2...5)
    let (rows, columns) = random.size(upTo: 20)
    var (raw, labels): ([Float], [Int32]) = ([], [])
    for _ in 0..<frames {
      raw += random.map(rows, columns).elements
      let frame = random.labels(rows, columns)
      switch random.integer(0...5) {
      case 0: labels += Array(repeating: 0, count: rows * columns)
      case 1: labels += frame.elements.map { $0 + 1 }
      default: labels += frame.elements
      }
    }
    let shape = [frames, rows, columns, 1]
    return (NDArray(shape: shape, elements: raw), NDArray(shape: shape, elements: labels))
  }
}
