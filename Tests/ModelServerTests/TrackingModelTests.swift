import Arrays
import ImageAlgorithms
import Samples
import TestSupport
import Testing

@testable import ClassicalModels

/// NuclearTrackingNE:6 and NuclearTrackingInf:6 in what a tracking job computes around them.
@Suite(.computing) struct TrackingModelTests {
  private func describe(_ cells: CellDescriptions) throws -> NDArray<Float> {
    let inputs = [cells.appearances, cells.morphologies, cells.centroids, cells.adjacency]
    return try .concatenated(
      (0..<cells.centroids.shape[0]).map { frame in
        try ClassicalModel.trackingEncoder.answer(inputs.map { $0.slice(frame) })[1]
          .expandingDimensions(at: 0)
      })
  }

  private func compare(_ comparison: TrackComparison) throws -> NDArray<Float> {
    let inputs = [
      comparison.currentEmbeddings, comparison.currentCentroids, comparison.futureEmbeddings,
      comparison.futureCentroids,
    ]
    return try ClassicalModel.trackingInference.answer(inputs.map { $0.slice(0) })[0]
      .expandingDimensions(at: 0)
  }

  private func track(
    _ movie: MovieSample, _ parameters: TrackingParameters = TrackingParameters()
  ) async throws -> TrackingScore {
    var tracker = try CellTracker(
      raw: movie.images.expandingDimensions(at: 3), labels: movie.labels.expandingDimensions(at: 3),
      parameters: parameters)
    try await tracker.describe { try describe($0) }
    try await tracker.link { try compare($0) }
    let result = tracker.result()
    let parents = result.lineage.tracks.compactMap { track in
      track.parent.map { (track.label, $0) }
    }
    return TrackingScore(
      labels: try result.labels.reshaped(to: movie.labels.shape),
      parents: Dictionary(uniqueKeysWithValues: parents), truth: movie)
  }

  @Test(arguments: 0..<4) func `movies are tracked with their divisions`(seed: Int) async throws {
    let movie = try MovieSample(seed: seed, side: 200, frames: 16, count: 22)
    let score = try await track(movie)
    #expect(Double(score.correctSteps) >= 0.98 * Double(score.steps), "\(score)")
    #expect(score.divisions > 0)
    #expect(Double(score.correctDivisions) >= 0.8 * Double(score.divisions), "\(score)")
    #expect(score.foundDivisions <= score.divisions + 1, "\(score)")
  }

  @Test func `movies are tracked by crops of a fixed size, too`() async throws {
    var parameters = TrackingParameters()
    parameters.appearance.cropMode = .fixed
    let movie = try MovieSample(seed: 9, side: 200, frames: 12, count: 22)
    let score = try await track(movie, parameters)
    #expect(Double(score.correctSteps) >= 0.98 * Double(score.steps), "\(score)")
    #expect(score.correctDivisions > 0, "\(score)")
  }

  @Test(arguments: 0..<6)
  func `the successor is the likeliest, and daughters are of their mother`(
    seed: Int
  ) throws {
    let movie = try MovieSample(seed: 100 + seed, side: 220, frames: 6, count: 25)
    // Cells in the order of their labels, which are those of the truth.
    let tracker = try CellTracker(
      raw: movie.images.expandingDimensions(at: 3), labels: movie.labels.expandingDimensions(at: 3))
    let descriptions = tracker.descriptions(of: 0..<6)
    let embeddings = try describe(descriptions)
    for frame in 0..<5 {
      let before = movie.tracks.filter { $0.frames.contains(frame) }
      let after = movie.tracks.filter { $0.frames.contains(frame + 1) }
      func values(_ array: NDArray<Float>, _ frame: Int, _ count: Int) -> NDArray<Float> {
        array.slice(frame).slice(0..<count).expandingDimensions(at: 0)
      }
      let probabilities = try ClassicalModel.trackingInference.answer([
        values(embeddings, frame, before.count),
        values(descriptions.centroids, frame, before.count),
        values(embeddings, frame + 1, after.count),
        values(descriptions.centroids, frame + 1, after.count),
      ])[0].slice(0)
      #expect(probabilities.shape == [before.count, after.count, 3])
      for (cell, track) in after.enumerated() {
        func likeliest(_ what: Int) -> Int? {
          before.indices.max { probabilities[$0, cell, what] < probabilities[$1, cell, what] }
        }
        if let known = before.firstIndex(where: { $0.label == track.label }) {
          #expect(likeliest(0) == known, "cell \(track.label) of frame \(frame + 1)")
          #expect(probabilities[known, cell, 0] > probabilities[known, cell, 2])
        } else if let mother = before.firstIndex(where: { $0.label == track.parent }) {
          #expect(likeliest(2) == mother, "daughter \(track.label) of frame \(frame + 1)")
          #expect(probabilities[mother, cell, 2] > probabilities[mother, cell, 0])
        }
      }
    }
  }

  @Test(arguments: 0..<8) func `probabilities sum to one, whatever the numbers`(seed: Int) throws {
    var generator = SeededGenerator(seed: seed)
    func any(_ shape: Shape) -> NDArray<Float> {
      NDArray(uninitialized: shape) { output in
        for i in output.indices {
          output[i] =
            Bool.random(using: &generator)
            ? Float(bitPattern: .random(in: 0...UInt32.max, using: &generator))
            : .random(in: -2...2, using: &generator)
        }
      }
    }
    let (tracks, cells) = (seed % 4 * 3, seed % 3 * 4)
    let probabilities = try ClassicalModel.trackingInference.answer([
      any([seed, tracks, 64]), any([seed, tracks, 2]), any([1, cells, 64]), any([1, cells, 2]),
    ])[0]
    #expect(probabilities.shape == [1, tracks, cells, 3])
    let values = probabilities.elements
    #expect(values.allSatisfy { (0...1).contains($0) })
    for i in stride(from: 0, to: values.count, by: 3) {
      #expect(abs(values[i] + values[i + 1] + values[i + 2] - 1) < 1e-4)
    }
    let described = try ClassicalModel.trackingEncoder.answer([
      any([cells, 32, 32, 1]), any([cells, 3]), any([cells, 2]), any([cells, cells]),
    ])
    #expect(described.map(\.shape) == [[cells, 2], [cells, 64]])
    #expect(described[1].elements.allSatisfy { $0.isFinite })
  }
}
