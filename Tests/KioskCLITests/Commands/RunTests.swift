import Arrays
import Foundation
import ImageFiles
import RedisClient
import TestSupport
import Testing

@Suite struct RunTests {
  @Test(.redisServer) func `run sends an image, follows its job and unpacks the result`()
    async throws
  {
    let harness = try KioskHarness()
    try harness.makeImage()
    let program = try await harness.start(
      ["run", "cells.tif", "-t", "Segmentation", "-o", "results"])
    let job = try await harness.takeJob()
    for status in ["started", "predicting", "saving-results"] {
      try await harness.set(job.key, ["status": status, "progress": "50"])
      try await program.wait(forOutput: "cells.tif: \(status)")
    }
    try await harness.finish(job.key, output: harness.putLabels())

    #expect(try await program.waitForExit() == .code(0))
    let status = await program.status
    #expect(
      status.standardOutput == """
        cells.tif: 2 cells (median area 82 px)
          results/cells_batch_0_feature_0.tif

        """)
    let lines = status.standardError.split(separator: "\n")
    #expect(lines.first == "cells.tif: uploading")
    #expect(lines.contains("cells.tif: started"))
    #expect(lines.last?.hasPrefix("cells.tif: done after ") == true)
    #expect(!status.output.contains("\u{1B}"))
    let labels = try ImageFile.decode(
      contentsOf: harness.folder.file("results/cells_batch_0_feature_0.tif"), name: "labels.tif")
    #expect(labels.pixels.converted(to: Int32.self) == KioskHarness.labels)
    #expect(harness.files(in: "results") == ["cells_batch_0_feature_0.tif"])
  }

  @Test(.redisServer) func `the job has the fields that the web front end writes`() async throws {
    let harness = try KioskHarness()
    try harness.makeImage()
    let submitted = try await harness.kiosk(
      "submit", "cells.tif", "-t", "segmentation", "--model", "Nuclei:3", "--scale", "0.5",
      "--channels", "0,", "--dimension-order", "XY", "--label", "2", "--preprocess", "p",
      "--postprocess", "q", "--segmentation-type", "cell culture", "--upload-prefix", "inbox",
      "--cuts", "4",
      "--compartment", "both",
      "--field-size", "61")
    #expect(submitted.exit == .code(0))
    let job = try await harness.takeJob()
    #expect(submitted.standardOutput == job.key + "\n")
    let expected = [
      "original_name": "cells.tif", "model_name": "Nuclei", "model_version": "3", "scale": "0.5",
      "channels": "0,", "dimension_order": "XY", "label": "2", "preprocess_function": "p",
      "postprocess_function": "q", "segmentation_type": "cell culture", "cuts": "4",
      "field_size": "61", "compartment": "both",
      "url": "",
      "status": "new", "identity_upload": "laptop",
    ]
    for (name, value) in expected { #expect(job.fields[name] == value, "\(name)") }
    #expect(job.inputFileName.hasPrefix("inbox/"))
    let stored = try Data(contentsOf: URL(filePath: harness.bucket.file(job.inputFileName)))
    #expect(stored == (try Data(contentsOf: URL(filePath: harness.folder.file("cells.tif")))))
    #expect(try await harness.timeToLive(job.key) == -1)
  }

  @Test(.redisServer) func `an overlay shows the image with the outlines of its cells`()
    async throws
  {
    let harness = try KioskHarness()
    try harness.makeImage()
    let program = try await harness.start(["run", "cells.tif", "-t", "segmentation", "--overlay"])
    let job = try await harness.takeJob()
    try await harness.finish(job.key, output: harness.putLabels())
    #expect(try await program.waitForExit() == .code(0))

    let picture = try ImageFile.decode(
      contentsOf: harness.folder.file("cells_batch_0_feature_0_overlay.png"), name: "overlay.png")
    let pixels = try #require(picture.pixels.typed(as: UInt8.self))
    #expect(pixels.shape == [40, 60, 3])
    var colored = 0
    for y in 0..<40 {
      for x in 0..<60 where Set((0..<3).map { pixels[y, x, $0] }).count > 1 { colored += 1 }
    }
    // Right and lower neighbours: each square has about two sides inside and two outside.
    #expect((60...120).contains(colored))
    #expect(pixels.elements.contains(255))
  }

  @Test(.redisServer) func `several files are sent and their results kept apart`() async throws {
    let harness = try KioskHarness()
    let names = ["a/cells.tif", "b/cells.tif", "ä, \"b\" 細胞;$x.tif"]
    for name in names { try harness.makeImage(name) }
    let program = try await harness.start(["run"] + names + ["-t", "segmentation", "-o", "out"])
    var originals: Set<String> = []
    for _ in names {
      let job = try await harness.takeJob()
      originals.insert(job.originalName)
      #expect(!job.key.contains(","))
      let stem = String(job.originalName.dropLast(4))
      try await harness.finish(job.key, output: harness.putLabels(stem: stem))
    }
    #expect(try await program.waitForExit() == .code(0))
    #expect(originals == ["cells.tif", "ä, \"b\" 細胞;$x.tif"])
    let files = harness.files(in: "out")
    #expect(files.count == 3, "\(files)")
    #expect(files.contains("cells_batch_0_feature_0.tif"))
    #expect(files.contains("ä, \"b\" 細胞;$x_batch_0_feature_0.tif"))
    #expect(
      files.contains { $0.hasPrefix("cells-") && $0.hasSuffix("/cells_batch_0_feature_0.tif") })
  }

  @Test(.redisServer) func `with --json standard output has nothing but objects`() async throws {
    let harness = try KioskHarness()
    try harness.makeImage()
    let program = try await harness.start(["run", "cells.tif", "-t", "segmentation", "--json"])
    let job = try await harness.takeJob()
    try await harness.set(job.key, ["status": "predicting", "progress": "40"])
    try await program.wait(forOutput: "\"status\":\"predicting\"")
    try await harness.finish(job.key, output: harness.putLabels())
    #expect(try await program.waitForExit() == .code(0))

    let lines = try jsonLines(await program.status.standardOutput)
    let events = lines.compactMap { $0["event"] as? String }
    #expect(events.count == lines.count)
    #expect(events.first == "submitted")
    #expect(events.last == "result")
    #expect(lines.allSatisfy { $0["job"] as? String == job.key })
    let predicting = lines.first { $0["status"] as? String == "predicting" }
    #expect(predicting?["progress"] as? Int == 40)
    #expect(lines.last?["cells"] as? Int == 2)
    #expect(lines.last?["files"] as? [String] == ["cells_batch_0_feature_0.tif"])
  }

  @Test(.redisServer) func `a failed job shows the last line of its reason and gives 1`()
    async throws
  {
    let harness = try KioskHarness()
    try harness.makeImage()
    let program = try await harness.start(["run", "cells.tif", "-t", "segmentation"])
    let job = try await harness.takeJob()
    try await harness.fail(
      job.key, reason: "Traceback:\n  somewhere\nValueError: the image is \u{1B}[2Jempty\n")
    #expect(try await program.waitForExit() == .code(1))
    let status = await program.status
    #expect(status.standardOutput == "")
    #expect(
      status.standardError.hasSuffix(
        "error: cells.tif: ValueError: the image is \u{FFFD}[2Jempty\n"))
    #expect(!status.standardError.contains("Traceback"))
    #expect((3590...3600).contains(try await harness.timeToLive(job.key)))
  }

  @Test(.redisServer, arguments: [("../evil.tif", "leave"), (".evil/a.tif", "hidden")])
  func `a result that would write elsewhere is refused and leaves nothing`(
    name: String, word: String
  ) async throws {
    let harness = try KioskHarness()
    try harness.makeImage()
    let program = try await harness.start(["run", "cells.tif", "-t", "segmentation", "-o", "out"])
    let job = try await harness.takeJob()
    let harmless = String(name.map { $0 == "." && name.first == "." ? "x" : $0 })
      .replacing("xtif", with: ".tif")
    let key = try harness.putArchive([
      ZipEntry(name: "good_feature_0.tif", content: .bytes([1])),
      ZipEntry(name: harmless, content: .bytes([2])),
    ])
    try harness.rename(member: harmless, to: name, in: key)
    try await harness.finish(job.key, output: key)

    #expect(try await program.waitForExit() == .code(1))
    let status = await program.status
    #expect(status.standardError.contains("error: cells.tif: the result of cells.tif has a"))
    #expect(harness.files(in: "out") == [])
    #expect(harness.files(in: ".") == ["cells.tif"])
    // Nobody has the result yet: its record stays.
    #expect(try await harness.timeToLive(job.key) == -1)
  }

  @Test(.redisServer) func `results never replace the images that were sent`() async throws {
    let harness = try KioskHarness()
    try harness.makeImage()
    let before = try Data(contentsOf: URL(filePath: harness.folder.file("cells.tif")))
    let program = try await harness.start(["run", "./cells.tif", "-t", "segmentation"])
    let job = try await harness.takeJob()
    let key = try harness.putArchive([ZipEntry(name: "cells.tif", content: .bytes([7, 7]))])
    try await harness.finish(job.key, output: key)
    #expect(try await program.waitForExit() == .code(0))
    #expect(try Data(contentsOf: URL(filePath: harness.folder.file("cells.tif"))) == before)
    #expect(harness.files(in: ".").count == 2)
  }

  @Test(.redisServer) func `an empty result comes with a hint`() async throws {
    let harness = try KioskHarness()
    try harness.makeImage()
    let program = try await harness.start(["run", "cells.tif", "-t", "segmentation"])
    let job = try await harness.takeJob()
    try await harness.finish(
      job.key, output: harness.putLabels(NDArray<Int32>(shape: [40, 60])))
    #expect(try await program.waitForExit() == .code(0))
    let status = await program.status
    #expect(status.standardOutput.hasPrefix("cells.tif: 0 cells\n"))
    #expect(status.standardError.contains("hint: cells.tif: no cells were found: check pixel size"))
  }

  @Test(.redisServer, arguments: [0, 1, 3])
  func `spots are counted over all frames`(count: Int) async throws {
    let harness = try KioskHarness()
    try harness.makeImage()
    let program = try await harness.start(["run", "cells.tif", "-t", "segmentation"])
    let job = try await harness.takeJob()
    let key = try harness.putArchive([
      ZipEntry(name: "cells_0.tif", content: .bytes([7])),
      ZipEntry(
        name: "cells_0.npy",
        content: .bytes(NPYEncoder.encode(NDArray<Double>(shape: [count, 2])))),
      ZipEntry(
        name: "cells_1.npy", content: .bytes(NPYEncoder.encode(NDArray<Double>(shape: [0, 2])))),
      // None of spots.
      ZipEntry(name: "other.npy", content: .bytes([1, 2, 3])),
      ZipEntry(
        name: "cells_2.npy", content: .bytes(NPYEncoder.encode(NDArray<Float>(shape: [9, 2])))),
    ])
    try await harness.finish(job.key, output: key)
    #expect(try await program.waitForExit() == .code(0))
    let said = await program.status.standardOutput
    #expect(said.hasPrefix("cells.tif: \(count == 1 ? "1 spot" : "\(count) spots")\n"), "\(said)")
  }

  @Test(.redisServer) func `an archive is kept with --no-unzip, and --quiet says nothing`()
    async throws
  {
    let harness = try KioskHarness()
    try harness.makeImage()
    let program = try await harness.start(
      ["run", "cells.tif", "-t", "segmentation", "--no-unzip", "--quiet", "--expire", "0"])
    let job = try await harness.takeJob()
    let key = try harness.putLabels()
    try await harness.finish(job.key, output: key)
    #expect(try await program.waitForExit() == .code(0))
    let status = await program.status
    #expect(status.standardError == "")
    #expect(status.standardOutput == "cells.tif: 1 file\n  cells.zip\n")
    #expect(
      try Data(contentsOf: URL(filePath: harness.folder.file("cells.zip")))
        == Data(contentsOf: URL(filePath: harness.bucket.file(key))))
    #expect(try await harness.timeToLive(job.key) == -1)
  }
}

extension KioskHarness {
  /// Gives a member of an archive another name of the same length, as no proper writer would.
  func rename(member old: String, to new: String, in key: String) throws {
    #expect(old.utf8.count == new.utf8.count)
    let file = URL(filePath: bucket.file(key))
    var bytes = try Data(contentsOf: file)
    var found = 0
    while let range = bytes.range(of: Data(old.utf8)) {
      bytes.replaceSubrange(range, with: Data(new.utf8))
      found += 1
    }
    #expect(found == 2, "local header and directory")
    try bytes.write(to: file)
  }
}
