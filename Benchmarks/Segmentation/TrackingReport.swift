import Arrays
import Foundation
import ImageAlgorithms
import Samples
import Serving
import TestSupport

/// How well NuclearTrackingNE:6 and NuclearTrackingInf:6 follow nuclei of synthetic movies.
struct TrackingReport {
  let client: ServingClient

  func print() async throws {
    Swift.print(
      "\nNuclearTrackingNE:6 and NuclearTrackingInf:6 on synthetic movies, nuclei given\n")
    for (seed, side, frames, count) in [
      (0, 256, 20, 30), (1, 256, 20, 60), (2, 512, 30, 150), (3, 512, 30, 300),
    ] {
      let movie = try MovieSample(seed: seed, side: side, frames: frames, count: count)
      let start = ContinuousClock.now
      let score = try await score(of: movie)
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      Swift.print(
        "  \(movie.tracks.count) tracks in \(frames) frames"
          .padding(toLength: 30, withPad: " ", startingAt: 0)
          + String(
            format: "steps %d of %d  switches %d  divisions %d of %d, found %d  %.1f s",
            score.correctSteps, score.steps, score.switches, score.correctDivisions,
            score.divisions, score.foundDivisions, seconds))
    }
  }

  private func score(of movie: MovieSample) async throws -> TrackingScore {
    var tracker = try CellTracker(
      raw: movie.images.expandingDimensions(at: 3), labels: movie.labels.expandingDimensions(at: 3))
    try await tracker.describe { cells in
      try await predict(
        "NuclearTrackingNE:6",
        [
          "encoder_app_input": cells.appearances, "encoder_morph_input": cells.morphologies,
          "encoder_centroid_input": cells.centroids, "encoder_adj_input": cells.adjacency,
        ], "embeddings")
    }
    try await tracker.link { comparison in
      try await predict(
        "NuclearTrackingInf:6",
        [
          "current_embeddings": comparison.currentEmbeddings,
          "current_centroids": comparison.currentCentroids,
          "future_embeddings": comparison.futureEmbeddings,
          "future_centroids": comparison.futureCentroids,
        ], "probabilities")
    }
    let result = tracker.result()
    let parents = result.lineage.tracks.compactMap { track in
      track.parent.map { (track.label, $0) }
    }
    return TrackingScore(
      labels: try result.labels.reshaped(to: movie.labels.shape),
      parents: Dictionary(uniqueKeysWithValues: parents), truth: movie)
  }

  private func predict(
    _ model: String, _ inputs: [String: NDArray<Float>], _ output: String
  ) async throws -> NDArray<Float> {
    let outputs = try await client.predict(
      model: ModelName(model), inputs: inputs.mapValues { AnyNDArray($0) })
    guard let answer = outputs[output] else { throw TestSupportError("\(model): no \(output)") }
    return answer.asFloat
  }
}
