import Arrays
import ConsumerTestSupport
import Consumers
import Foundation
import ImageFiles
import Samples
import TestSupport
import Testing

/// Movies with the models of `kiosk-model-server`.
@Suite struct MovieTests {
  @Test func `the labels and the lineage are those of the Python service`() async throws {
    let golden = try #require(GoldenJob.tracking.first { $0.name == "movie_trk" })
    let result = try await ConsumerTest.run(
      try #require(consumers["caliban"]),
      input: URL(filePath: Fixtures.jobs + "/inputs/\(golden.input)"))
    #expect(result.status == .done, "\(result)")
    #expect(
      result.statuses == [
        .new, .started, .predicting, .postProcessing, .savingResults, .done,
      ])
    let theirs = try ZipReader(path: golden.archive, name: "output.zip")
    #expect(result.files.keys.sorted() == theirs.members.map(\.name).sorted())
    for member in theirs.members {
      let bytes = try theirs.bytes(of: member, limit: member.size)
      guard member.name.hasSuffix(".tif") else {
        #expect(result.files[member.name] == bytes)
        continue
      }
      let labels = try ImageFile.decode(bytes, name: member.name).pixels.asFloat
      #expect(result.images[member.name] == labels)
    }
    #expect(result.leftovers.isEmpty)
  }

  @Test(arguments: 0..<3) func `nuclei that move and divide keep their labels`(seed: Int)
    async throws
  {
    let movie = try MovieSample(seed: seed, side: 160, frames: 5, count: 9)
    let folder = try TemporaryFolder()
    let input = URL(filePath: folder.file("movie.tif"))
    try DiscMovie.tiff(movie.images).write(to: input)
    let result = try await ConsumerTest.run(
      try #require(consumers["tracking"]), input: input,
      others: ["predict": try #require(consumers["image"])], timeLimit: .seconds(300))
    #expect(result.status == .done, "\(result)")
    #expect(result.statuses.contains(.waiting))
    let labels = try #require(result.images["movie_feature_0.tif"])
    #expect(labels.shape == movie.images.shape)

    // Of a nucleus that is there for long: the label it has most often, and how often.
    var (kept, total) = (0, 0)
    for track in movie.tracks where track.frames.count >= 3 {
      let found = track.frames.compactMap { frame in
        Self.label(of: track.label, in: movie.labels.slice(frame), labels.slice(frame))
      }
      let counts = Dictionary(found.map { ($0, 1) }, uniquingKeysWith: +)
      total += track.frames.count
      kept += counts.values.max() ?? 0
    }
    #expect(total > 20)
    #expect(Double(kept) > 0.8 * Double(total), "\(kept) of \(total)")
    withExtendedLifetime(folder) {}
  }

  /// What most of a nucleus' pixels are labelled as; nil if that is background.
  private static func label(
    of nucleus: Int, in truth: NDArray<Int32>, _ labels: NDArray<Float>
  ) -> Float? {
    let pixels = zip(truth.elements, labels.elements).filter { Int($0.0) == nucleus }.map(\.1)
    let counts = Dictionary(pixels.map { ($0, 1) }, uniquingKeysWith: +)
    guard let best = counts.max(by: { $0.value < $1.value }), best.key > 0 else { return nil }
    return best.key
  }
}
