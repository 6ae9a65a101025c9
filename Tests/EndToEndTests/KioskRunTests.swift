import Arrays
import ClassicalModels
import Foundation
import ImageFiles
import ModelServing
import Samples
import TestSupport
import Testing

/// `kiosk run` with the built daemon and the models of `kiosk-model-server`, on images whose cells and
/// spots are known.
@Suite struct KioskRunTests {
  private let harness: DaemonHarness
  private let models: ModelServerHost
  private let folder: TemporaryFolder

  init() throws {
    harness = try DaemonHarness()
    folder = try TemporaryFolder()
    let service = ModelService(workers: TileWorkers(threads: 2, limit: 1024))
    models = try ModelServerHost(address: "127.0.0.1", port: 0) { await service.answer($0) }
  }

  private func start(_ type: String) async throws -> ChildProcess {
    try await harness.startDaemon([
      "CONSUMER_TYPE": type, "QUEUE": type, "HOSTNAME": "pod-\(type)",
      "TF_PORT": String(models.port), "POLARIS_SCALE": "1",
    ])
  }

  /// Runs `kiosk run` in the folder.
  ///
  /// - Returns: what it says on standard output.
  private func run(_ arguments: String...) async throws -> String {
    let program = try await ChildProcess.start(
      BuiltProduct.path("kiosk"), ["run"] + arguments,
      environment: harness.environment(["HOSTNAME": "laptop"]), workingDirectory: folder.path)
    let exit = try await program.waitForExit(within: .seconds(120))
    let status = await program.status
    #expect(exit == .code(0), "\(status.output)")
    return status.standardOutput
  }

  /// Writes channels as a file, `[channel, row, column]`, or `[row, column]` if there is one.
  private func write(_ channels: [NDArray<Float>], _ name: String) throws {
    let file = URL(filePath: folder.file(name))
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    let image =
      channels.count == 1
      ? channels[0] : try NDArray.concatenated(channels.map { $0.expandingDimensions(at: 0) })
    let last = image.expandingDimensions(at: image.rank)
    try Data(LabelFiles.encode(AnyNDArray(last), channel: 0)).write(to: file)
  }

  private func labels(_ name: String) throws -> NDArray<Int32> {
    let image = try ImageFile.decode(contentsOf: folder.file(name), name: name)
    return image.pixels.converted(to: Int32.self).squeezed()
  }

  @Test(.redisServer) func `mesmer labels an image, and those of folders`() async throws {
    let tissues = try (0..<3).map { try TissueSample(seed: $0, side: 160) }
    let names = ["one", "plate/a", "plate/sub/b"]
    for (tissue, name) in zip(tissues, names) {
      try write([tissue.nuclearImage, tissue.membraneImage], "\(name).tif")
    }
    let daemon = try await start("mesmer")
    let said = try await run(
      "one.tif", "-t", "mesmer", "--compartment", "both", "-o", "out", "--overlay", "--csv")
    #expect(said.contains(#/one.tif: [0-9]+ cells/#))
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.file("out"))
    #expect(
      files.sorted() == [
        "one_cells.csv", "one_feature_0.tif", "one_feature_0_overlay.png", "one_feature_1.tif",
        "one_feature_1_overlay.png",
      ])
    let nuclei = DetectionScore(
      found: try labels("out/one_feature_1.tif"), truth: tissues[0].nuclei)
    #expect(nuclei.f1 >= 0.7, "\(nuclei)")

    _ = try await run("plate", "--recursive", "-t", "mesmer", "-o", "all")
    for (name, tissue) in [("a", tissues[1]), ("sub/b", tissues[2])] {
      let cells = DetectionScore(
        found: try labels("all/\(name)_feature_0.tif"), truth: tissue.cells)
      #expect(cells.f1 >= 0.7, "\(cells)")
    }
    #expect(try await daemon.stop() == .code(0))
  }

  @Test(.redisServer) func `spots are found in an image, in folders and in cells`() async throws {
    let samples = try (0..<3).map {
      try SpotSample(seed: $0, side: 160, count: 60, hasTissue: $0 == 0)
    }
    for (sample, name) in zip(samples, ["one", "plate/a", "plate/sub/b"]) {
      try write([sample.image], "\(name).tif")
    }
    let spots = try await start("spot")
    let said = try await run("one.tif", "-t", "spot", "-o", "out")
    #expect(said.contains(#/one.tif: [0-9]+ spots/#))
    _ = try await run("plate", "--recursive", "-t", "spot", "-o", "out")
    for (name, sample) in zip(["one", "a", "sub/b"], samples) {
      #expect(FileManager.default.fileExists(atPath: folder.file("out/\(name)_0.tif")))
      let file = folder.file("out/\(name)_0.npy")
      let found = try ImageFile.decode(contentsOf: file, name: "spots.npy").pixels
      let score = SpotScore(
        found: try #require(found.typed(as: Double.self)), truth: sample.spots)
      #expect(score.precision >= 0.9 && score.recall >= 0.9, "\(score)")
    }

    let tissue = try #require(samples[0].tissue)
    try write([samples[0].image, tissue.nuclearImage, tissue.membraneImage], "cells.tif")
    let mesmer = try await start("mesmer")
    let polaris = try await start("polaris")
    let table = try await run(
      "cells.tif", "-t", "polaris", "--channels", "0,1,2", "--segmentation-type", "tissue", "-o",
      "cells")
    #expect(table.contains(#/cells.tif: [0-9]+ cells/#))
    let lines = try String(contentsOfFile: folder.file("cells/cells_0.csv"), encoding: .utf8)
      .components(separatedBy: "\r\n").dropLast()
    #expect(lines.first == "x,y,cellID0")
    // All spots lie in cells.
    let inCells = lines.dropFirst().count { !$0.hasSuffix(",0") }
    #expect(Double(inCells) >= 0.7 * Double(samples[0].spots.count), "\(inCells)")
    for daemon in [spots, mesmer, polaris] { #expect(try await daemon.stop() == .code(0)) }
  }
}
