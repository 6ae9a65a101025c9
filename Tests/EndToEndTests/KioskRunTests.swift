import Arrays
import Foundation
import Samples
import TestSupport
import Testing

/// `kiosk run` with the built daemon and the models of `kiosk-model-server`, on images whose cells and
/// spots are known.
@Suite struct KioskRunTests {
  private let kiosk: KioskRunHarness

  init() throws { kiosk = try KioskRunHarness() }

  @Test(.redisServer) func `mesmer labels an image, and those of folders`() async throws {
    let tissues = try (0..<3).map { try TissueSample(seed: $0, side: 160) }
    let names = ["one", "plate/a", "plate/sub/b"]
    for (tissue, name) in zip(tissues, names) {
      try kiosk.write(.stack([tissue.nuclearImage, tissue.membraneImage]), "\(name).tif")
    }
    let daemon = try await kiosk.start("mesmer")
    let said = try await kiosk.run(
      "one.tif", "-t", "mesmer", "--compartment", "both", "-o", "out", "--overlay", "--csv")
    #expect(said.contains(#/one.tif: [0-9]+ cells/#))
    #expect(
      try kiosk.files(in: "out") == [
        "one_cells.csv", "one_feature_0.tif", "one_feature_0_overlay.png", "one_feature_1.tif",
        "one_feature_1_overlay.png",
      ])
    let nuclei = DetectionScore(
      found: try kiosk.labels("out/one_feature_1.tif"), truth: tissues[0].nuclei)
    #expect(nuclei.f1 >= 0.7, "\(nuclei)")

    _ = try await kiosk.run("plate", "--recursive", "-t", "mesmer", "-o", "all")
    for (name, tissue) in [("a", tissues[1]), ("sub/b", tissues[2])] {
      let cells = DetectionScore(
        found: try kiosk.labels("all/\(name)_feature_0.tif"), truth: tissue.cells)
      #expect(cells.f1 >= 0.7, "\(cells)")
    }
    #expect(try await daemon.stop() == .code(0))
  }

  @Test(.redisServer) func `spots are found in an image, and in folders`() async throws {
    let samples = try (0..<3).map { try SpotSample(seed: $0, side: 160, count: 60) }
    for (sample, name) in zip(samples, ["one", "plate/a", "plate/sub/b"]) {
      try kiosk.write(sample.image, "\(name).tif")
    }
    let spots = try await kiosk.start("spot")
    let said = try await kiosk.run("one.tif", "-t", "spot", "-o", "out")
    #expect(said.contains(#/one.tif: [0-9]+ spots/#))
    _ = try await kiosk.run("plate", "--recursive", "-t", "spot", "-o", "out")
    for (name, sample) in zip(["one", "a", "sub/b"], samples) {
      #expect(try kiosk.image("out/\(name)_0.tif").shape == [160, 160, 3])
      let found = try kiosk.image("out/\(name)_0.npy")
      let score = SpotScore(
        found: try #require(found.typed(as: Double.self)), truth: sample.spots)
      #expect(score.precision >= 0.9 && score.recall >= 0.9, "\(score)")
    }
    #expect(try await spots.stop() == .code(0))
  }
}
