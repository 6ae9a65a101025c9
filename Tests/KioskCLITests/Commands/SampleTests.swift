import Arrays
import Foundation
import ImageFiles
import Samples
import TestSupport
import Testing

@Suite(.programs) struct SampleTests {
  private func sample(
    _ arguments: [String], in folder: TemporaryFolder
  ) async throws -> ChildProcess.Status {
    let program = try await ChildProcess.start(
      BuiltProduct.path("kiosk"), ["sample"] + arguments, workingDirectory: folder.path)
    try await program.waitForExit()
    return await program.status
  }

  private func image(_ name: String, in folder: TemporaryFolder) throws -> NDArray<Float> {
    try ImageFile.decode(contentsOf: folder.file(name), name: name).pixels.asFloat
  }

  @Test(arguments: [
    ("nuclei", ["nuclei.tif", "nuclei-labels.tif"]),
    ("tissue", ["tissue.tif", "tissue-cells.tif", "tissue-nuclei.tif"]),
    ("movie", ["movie.tif", "movie-labels.tif", "movie-lineage.json"]),
    ("spots", ["spots.tif", "spots.csv"]),
  ])
  func `each kind writes an image and its truth`(kind: String, names: [String]) async throws {
    let folder = try TemporaryFolder()
    let arguments = [kind, "-o", "new/samples", "--size", "96", "--count", "8"]
    let status = try await sample(arguments, in: folder)
    #expect(status.exit == .code(0), "\(status.output)")
    #expect(
      status.standardOutput.split(separator: "\n").map(String.init)
        == names.map { "new/samples/\($0)" })
    let written = try FileManager.default.contentsOfDirectory(atPath: folder.file("new/samples"))
    #expect(written.sorted() == names.sorted())
    // The same again, and what was there is replaced.
    let first = try names.map {
      try Data(contentsOf: URL(filePath: folder.file("new/samples/\($0)")))
    }
    #expect(try await sample(arguments, in: folder).exit == .code(0))
    let second = try names.map {
      try Data(contentsOf: URL(filePath: folder.file("new/samples/\($0)")))
    }
    #expect(first == second)
  }

  @Test func `images have a page for each channel or frame`() async throws {
    let folder = try TemporaryFolder()
    for (arguments, shape) in [
      (["nuclei", "--size", "80"], [80, 80]), (["tissue", "--size", "80"], [2, 80, 80]),
      (["movie", "--size", "90", "--frames", "3"], [3, 90, 90]),
      (["spots", "--size", "100", "--cells"], [3, 100, 100]),
    ] {
      let status = try await sample(arguments, in: folder)
      #expect(status.exit == .code(0), "\(status.output)")
      #expect(try image("\(arguments[0]).tif", in: folder).shape == shape)
    }
    #expect(try image("movie-labels.tif", in: folder).shape == [3, 90, 90])
    #expect(try image("spots-cells.tif", in: folder).shape == [100, 100])
  }

  @Test func `a plate is an archive of images and one of their labels, named alike`() async throws {
    let folder = try TemporaryFolder()
    let status = try await sample(["plate", "--size", "96", "--count", "8"], in: folder)
    #expect(status.exit == .code(0), "\(status.output)")
    #expect(status.standardOutput == "plate.zip\nplate-labels.zip\n")
    var pixels: Set<[Float]> = []
    for name in ["plate.zip", "plate-labels.zip"] {
      let reader = try ZipReader(path: folder.file(name), name: name)
      #expect(reader.members.map(\.name) == ["A1.tif", "A2.tif", "B1.tif", "B2.tif"])
      for member in reader.members {
        let path = try reader.unpack(member, into: folder.file(""))
        let image = try ImageFile.decode(contentsOf: path, name: member.name).pixels
        #expect(image.shape == [96, 96])
        #expect(pixels.insert(image.asFloat.elements).inserted)
        try FileManager.default.removeItem(atPath: path)
      }
    }
  }

  @Test func `truth is what was drawn`() async throws {
    let folder = try TemporaryFolder()
    let common = ["--size", "100", "--seed", "5", "--count", "12"]
    for arguments in [["tissue"], ["movie", "--frames", "6"], ["spots", "--cells"]] {
      #expect(try await sample(arguments + common, in: folder).exit == .code(0))
    }
    let tissue = try TissueSample(seed: 5, side: 100, count: 12)
    #expect(try image("tissue-cells.tif", in: folder) == tissue.cells.asFloat)
    #expect(try image("tissue-nuclei.tif", in: folder) == tissue.nuclei.asFloat)
    #expect(try image("tissue.tif", in: folder).slice(1) == tissue.membraneImage)

    let movie = try MovieSample(seed: 5, side: 100, frames: 6, count: 12)
    #expect(try image("movie-labels.tif", in: folder) == movie.labels.asFloat)
    let json = try Data(contentsOf: URL(filePath: folder.file("movie-lineage.json")))
    let tracks = try #require(
      try JSONSerialization.jsonObject(with: json) as? [String: [String: Any]])
    #expect(tracks.count == movie.tracks.count)
    for track in movie.tracks {
      let told = try #require(tracks["\(track.label)"])
      #expect(told["label"] as? Int == track.label)
      #expect(told["frames"] as? [Int] == track.frames)
      #expect(told["daughters"] as? [Int] == track.daughters)
      #expect(told["parent"] as? Int == track.parent)
      #expect(told["frame_div"] as? Int == track.divisionFrame)
      #expect(told["capped"] as? Bool == !track.daughters.isEmpty)
    }

    let spots = try SpotSample(seed: 5, side: 100, count: 12, hasTissue: true)
    let table = try String(contentsOf: URL(filePath: folder.file("spots.csv")), encoding: .utf8)
    let lines = table.split(separator: "\r\n").map { $0.split(separator: ",").map(String.init) }
    #expect(lines.first == ["x", "y", "cellID0"])
    #expect(
      lines.dropFirst().map { $0.prefix(2).compactMap(Double.init) }
        == spots.spots.map { [$0.column, $0.row] })
    let cells = try #require(spots.tissue?.cells)
    #expect(
      lines.dropFirst().map(\.last)
        == spots.spots.map { "\(cells[Int($0.row), Int($0.column)])" })
  }

  @Test func `with --json each file is an object`() async throws {
    let folder = try TemporaryFolder()
    let status = try await sample(
      ["spots", "--size", "100", "--count", "7", "--seed", "3", "--json"], in: folder)
    let lines = try jsonLines(status.standardOutput)
    #expect(lines.map { $0["event"] as? String } == ["sample", "sample"])
    #expect(lines.map { $0["file"] as? String } == ["spots.tif", "spots.csv"])
    #expect(lines.map { $0["content"] as? String } == ["image", "spots"])
    #expect(lines.allSatisfy { $0["kind"] as? String == "spots" && $0["seed"] as? Int == 3 })
    #expect(lines.allSatisfy { $0["objects"] as? Int == 7 })
  }

  @Test(arguments: [
    (["cells"], "cells"), ([], "kind"), (["nuclei", "--size", "10"], "--size must be 64 to 4096"),
    (["nuclei", "--count", "0"], "--count"),
    (["nuclei", "--frames", "3"], "--frames is for a movie"),
    (["movie", "--cells"], "--cells is for spots"), (["movie", "--frames", "0"], "--frames"),
    (["movie", "--size", "4096", "--frames", "5"], "pixels"), (["nuclei", "-o", ""], "--output"),
    (["spots", "-o", "file/samples"], "file/samples"),
  ])
  func `wrong usage gives 2 and names what is wrong`(arguments: [String], word: String)
    async throws
  {
    let folder = try TemporaryFolder()
    try Data().write(to: URL(filePath: folder.file("file")))
    let status = try await sample(arguments, in: folder)
    #expect(status.exit == .code(2))
    #expect(status.standardError.contains(word), "\(status.standardError)")
    #expect(status.standardOutput == "")
  }
}
