import Arrays
import Foundation
import Samples
import TestSupport
import Testing

/// `kiosk run` of images whose spots and cells are known, by way of jobs for spots and for cells.
@Suite struct KioskRunPolarisTests {
  private let kiosk: KioskRunHarness

  init() throws { kiosk = try KioskRunHarness() }

  /// A table of spots.
  private struct Table {
    /// `[spot, 2]`, row and column.
    let spots: NDArray<Double>
    /// The cell of each spot in each kind of cells.
    let cells: [[Int32]]

    init(_ data: Data, kinds: Int) throws {
      let lines = String(decoding: data, as: UTF8.self).components(separatedBy: "\r\n")
      try #require(
        lines.first == (["x", "y"] + (0..<kinds).map { "cellID\($0)" }).joined(separator: ","))
      try #require(lines.last == "")
      let rows = lines.dropFirst().dropLast().map { $0.components(separatedBy: ",") }
      let places: [Double] = try rows.flatMap {
        [try #require(Double($0[1])), try #require(Double($0[0]))]
      }
      spots = NDArray(shape: [rows.count, 2], elements: places)
      cells = try (0..<kinds).map { kind in try rows.map { try #require(Int32($0[2 + kind])) } }
    }
  }

  /// Compares the result for a frame with what is known of it.
  ///
  /// - Parameters:
  ///   - name: that of its files.
  ///   - truth: `[row, column]` for each kind of cells.
  private func check(
    _ name: String, frame: Int = 0, _ sample: SpotSample, cells truth: [NDArray<Int32>]
  ) throws {
    let table = try Table(kiosk.data("\(name)_\(frame).csv"), kinds: truth.count)
    let score = SpotScore(found: table.spots, truth: sample.spots)
    #expect(score.precision >= 0.9 && score.recall >= 0.9, "\(name): \(score)")
    for (kind, truth) in truth.enumerated() {
      let labels = try kiosk.labels("\(name)_batch_\(frame)_feature_\(kind).tif")
      try #require(labels.shape == truth.shape)
      let cells = DetectionScore(found: labels, truth: truth)
      #expect(cells.f1 >= 0.9, "\(name): \(cells)")
      for (index, cell) in table.cells[kind].enumerated() {
        let place = (Int(table.spots[index, 0]), Int(table.spots[index, 1]))
        #expect(cell == labels[place.0, place.1], "\(name): spot \(index)")
      }
      let inside = sample.spots.count { truth[Int($0.row), Int($0.column)] > 0 }
      let found = table.cells[kind].count { $0 > 0 }
      #expect(inside > 0 && abs(found - inside) <= sample.spots.count / 10, "\(found), \(inside)")
    }
  }

  @Test(.redisServer) func `spots are found in the cells of a tissue, and of those of folders`()
    async throws
  {
    let samples = try (0..<3).map {
      try SpotSample(seed: $0, side: 160, count: 60, hasTissue: true)
    }
    let tissues = try samples.map { try #require($0.tissue) }
    for (index, name) in ["one", "plate/a", "plate/sub/b"].enumerated() {
      let tissue = tissues[index]
      try kiosk.write(
        .stack([samples[index].image, tissue.nuclearImage, tissue.membraneImage]), "\(name).tif")
    }
    var daemons: [ChildProcess] = []
    for type in ["spot", "mesmer", "polaris"] { daemons.append(try await kiosk.start(type)) }
    let options = ["-t", "polaris", "--channels", "0,1,2", "--segmentation-type", "tissue"]
    let said = try await kiosk.run(
      ["one.tif", "-o", "out", "--overlay", "--compartment", "both"] + options)
    #expect(said.contains(#/one.tif: [0-9]+ cells/#))
    #expect(
      try kiosk.files(in: "out") == [
        "one_0.csv", "one_batch_0_feature_0.tif", "one_batch_0_feature_0_overlay.png",
        "one_batch_0_feature_1.tif", "one_batch_0_feature_1_overlay.png",
      ])
    try check("out/one", samples[0], cells: [tissues[0].cells, tissues[0].nuclei])

    _ = try await kiosk.run(["plate", "--recursive", "-o", "all"] + options)
    #expect(
      try kiosk.files(in: "all")
        == ["a", "sub/b"].flatMap { ["\($0)_0.csv", "\($0)_batch_0_feature_0.tif"] })
    try check("all/a", samples[1], cells: [tissues[1].cells])
    try check("all/sub/b", samples[2], cells: [tissues[2].cells])
    for daemon in daemons { #expect(try await daemon.stop() == .code(0)) }
  }

  @Test(.redisServer) func `spots are found in the nuclei of a culture, frame by frame`()
    async throws
  {
    let samples = try (0..<3).map { try SpotSample(seed: $0, side: 160, count: 60) }
    let cultures = try (0..<3).map {
      try CellSample(seed: $0, side: 160, count: 16, radii: 8...13)
    }
    // Two frames of two channels, and one frame.
    let frames = try zip(samples, cultures).map { try NDArray.stack([$0.image, $1.counts]) }
    try kiosk.write(.stack([frames[0], frames[1]]), "plate/stack.tif")
    try kiosk.write(.stack([frames[2]]), "plate/sub/single.tif")
    var daemons: [ChildProcess] = []
    for type in ["spot", "segmentation", "polaris"] { daemons.append(try await kiosk.start(type)) }
    let options = ["plate", "--recursive", "-t", "polaris", "--scale", "1"]
    _ = try await kiosk.run(
      options + ["-o", "out", "--channels", "0,1,", "--segmentation-type", "cell culture"])
    try check("out/stack", samples[0], cells: [cultures[0].labels])
    try check("out/stack", frame: 1, samples[1], cells: [cultures[1].labels])
    try check("out/sub/single", samples[2], cells: [cultures[2].labels])

    // Without cells there are only spots.
    let said = try await kiosk.run(options + ["-o", "spots", "--channels", "0"])
    #expect(said.contains(#/sub/single.tif: [0-9]+ spots/#))
    #expect(try kiosk.files(in: "spots") == ["stack_0.csv", "stack_1.csv", "sub/single_0.csv"])
    try check("spots/stack", frame: 1, samples[1], cells: [])
    for daemon in daemons { #expect(try await daemon.stop() == .code(0)) }
  }
}
