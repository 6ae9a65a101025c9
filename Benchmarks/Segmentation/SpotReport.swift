import Arrays
import Foundation
import ImageAlgorithms
import Samples
import Serving
import TestSupport

/// How well SpotDetection:3 finds synthetic spots, and how exactly.
struct SpotReport {
  let client: ServingClient

  func print() async throws {
    Swift.print("\nSpotDetection:3 on synthetic spots in 512 x 512, a match is within 1 pixel\n")
    for (count, hasTissue) in [(0, false), (100, false), (1000, false), (3000, false), (500, true)]
    {
      let sample = try SpotSample(seed: count, side: 512, count: count, hasTissue: hasTissue)
      let start = ContinuousClock.now
      let score = SpotScore(found: try await spots(of: sample.image), truth: sample.spots)
      let milliseconds = (ContinuousClock.now - start) / .milliseconds(1)
      Swift.print(
        "  \(count) spots\(hasTissue ? " in cells" : "")"
          .padding(toLength: 22, withPad: " ", startingAt: 0)
          + String(
            format: "precision %.3f  recall %.3f  off by %.2f pixels  found %d  %.0f ms",
            score.precision, score.recall, score.distance, score.foundCount, milliseconds))
    }
  }

  private func spots(of image: NDArray<Float>) async throws -> NDArray<Double> {
    let client = client
    var run = try SpotApplication().start(
      image.expandingDimensions(at: 0).expandingDimensions(at: 3), modelShape: [-1, 128, 128, 1],
      batchSize: 16)
    try await run.predict { tiles in
      let outputs = try await client.predict(
        model: ModelName("SpotDetection:3"), inputs: ["input_1": AnyNDArray(tiles)])
      return SpotApplication.outputs.compactMap { outputs[$0] }
    }
    return try run.spots()[0]
  }
}
