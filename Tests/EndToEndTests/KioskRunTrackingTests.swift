import Arrays
import Foundation
import ImageFiles
import Samples
import TestSupport
import Testing

/// `kiosk run` of movies whose nuclei are known.
@Suite struct KioskRunTrackingTests {
  private let kiosk: KioskRunHarness

  init() throws { kiosk = try KioskRunHarness() }

  private struct Track: Decodable { let daughters: [Int], parent: Int? }

  /// Compares what came of a movie with what is known of it.
  ///
  /// - Parameter name: that of its results, without what tells them apart.
  private func check(_ name: String, _ movie: MovieSample) throws {
    let labels = try kiosk.labels("\(name)_feature_0.tif")
    try #require(labels.shape == movie.labels.shape, "\(name)")
    let tracks = try JSONDecoder().decode(
      [String: Track].self, from: kiosk.data("\(name)_lineage.json"))
    #expect(
      Set(tracks.keys.compactMap { Int32($0) }) == Set(labels.elements).subtracting([0]), "\(name)")
    #expect(abs(tracks.count - movie.tracks.count) <= 1, "\(name)")
    let parents = Dictionary(
      uniqueKeysWithValues: tracks.compactMap { label, track in
        track.parent.flatMap { parent in Int(label).map { ($0, parent) } }
      })
    let score = TrackingScore(labels: labels, parents: parents, truth: movie)
    #expect(Double(score.correctSteps) >= 0.95 * Double(score.steps), "\(name): \(score)")
    #expect(score.divisions > 0 && score.foundDivisions == score.divisions, "\(name): \(score)")
    #expect(score.correctDivisions == score.divisions, "\(name): \(score)")
  }

  @Test(.redisServer) func `nuclei of a movie are followed, and those of folders`() async throws {
    let movies = try (0..<4).map { try MovieSample(seed: $0, side: 128, frames: 5, count: 6) }
    for (movie, name) in zip(movies, ["one", "movies/a", "movies/sub/b"]) {
      try kiosk.write(movie.images, "\(name).tif")
    }
    // A movie whose nuclei are labelled already, anew in each frame.
    let given = NDArray<Int32>(uninitialized: movies[3].labels.shape + [1]) { output in
      movies[3].labels.withUnsafeBuffer { labels in
        for i in output.indices {
          output[i] = labels[i] > 0 ? labels[i] + Int32(i / (128 * 128)) * 50 : 0
        }
      }
    }
    _ = try TrackFile.write(
      raw: AnyNDArray(movies[3].images.expandingDimensions(at: 3)), tracked: AnyNDArray(given),
      lineage: "{}", name: "movies/c", in: kiosk.folder.path)
    let daemons = [
      try await kiosk.start("segmentation"),
      try await kiosk.start("tracking", ["TRACK_FILE": "true"]),
    ]

    let said = try await kiosk.run("one.tif", "-t", "tracking", "-o", "out", "--overlay")
    #expect(said.contains(#/one.tif: [0-9]+ tracks, [0-9]+ division/#), "\(said)")
    #expect(
      try kiosk.files(in: "out") == [
        "one.trk", "one_feature_0.tif", "one_feature_0_overlay.png", "one_lineage.json",
      ])
    try check("out/one", movies[0])
    let track = try kiosk.track("out/one.trk")
    #expect(track.raw.asFloat.squeezed() == movies[0].images)
    let labels = try kiosk.labels("out/one_feature_0.tif")
    #expect(track.tracked.converted(to: Int32.self).squeezed() == labels)

    _ = try await kiosk.run("movies", "--recursive", "-t", "tracking", "-o", "all")
    #expect(
      try kiosk.files(in: "all")
        == ["a", "c", "sub/b"].flatMap { name in
          [".trk", "_feature_0.tif", "_lineage.json"].map { name + $0 }
        })
    for (name, movie) in zip(["a", "sub/b", "c"], movies[1...]) { try check("all/\(name)", movie) }
    for daemon in daemons { #expect(try await daemon.stop() == .code(0)) }
  }
}
