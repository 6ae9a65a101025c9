import Arrays
import Foundation
import ImageFiles
import Previews
import TestSupport
import Testing

@Suite struct ExportTests {
  private static let header =
    "file,frame,channel,label,area_px,centroid_y,centroid_x,bbox_y0,bbox_x0,bbox_y1,bbox_x1"

  private func lines(_ harness: KioskHarness, _ name: String) throws -> [String] {
    let text = try String(contentsOf: URL(filePath: harness.folder.file(name)), encoding: .utf8)
    return text.split(separator: "\n").map(String.init)
  }

  private func features(_ harness: KioskHarness, _ name: String) throws -> [[String: Any]] {
    let data = try Data(contentsOf: URL(filePath: harness.folder.file(name)))
    let collection = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    return try #require(collection["features"] as? [[String: Any]])
  }

  @Test(.redisServer) func `run lists, outlines and draws the cells of its image`() async throws {
    let harness = try KioskHarness()
    try harness.makeImage("my, cells.tif")
    let program = try await harness.start([
      "run", "my, cells.tif", "-t", "segmentation", "-o", "out", "--csv", "--geojson", "--labels",
    ])
    let job = try await harness.takeJob()
    try await harness.finish(job.key, output: harness.putLabels(stem: "my, cells"))
    #expect(try await program.waitForExit() == .code(0))
    #expect(
      await program.status.standardOutput == """
        my, cells.tif: 2 cells (median area 82 px)
          out/my, cells_batch_0_feature_0.tif
          out/my, cells_batch_0_feature_0_labels.png
          out/my, cells_cells.csv
          out/my, cells_cells.geojson

        """)
    #expect(
      try lines(harness, "out/my, cells_cells.csv") == [
        Self.header + ",mean_0",
        "\"my, cells.tif\",0,0,1,100,9.5,9.5,5,5,15,15,509.5",
        "\"my, cells.tif\",0,0,2,64,23.5,33.5,20,30,28,38,523.5",
      ])
    let features = try features(harness, "out/my, cells_cells.geojson")
    let square = features.first?["geometry"] as? [String: Any]
    #expect(square?["type"] as? String == "Polygon")
    #expect(
      square?["coordinates"] as? [[[Int]]] == [[[15, 5], [15, 15], [5, 15], [5, 5], [15, 5]]])
    #expect(features.map { ($0["properties"] as? [String: Any])?["label"] as? Int } == [1, 2])

    let picture = try ImageFile.decode(
      contentsOf: harness.folder.file("out/my, cells_batch_0_feature_0_labels.png"),
      name: "labels.png")
    let pixels = try #require(picture.pixels.typed(as: UInt8.self))
    #expect(pixels.shape == [40, 60, 3])
    for y in 0..<40 {
      for x in 0..<60 {
        let isBlack = (0..<3).allSatisfy { pixels[y, x, $0] == 0 }
        #expect(isBlack == (KioskHarness.labels[y, x] == 0))
      }
    }
  }

  @Test(.redisServer) func `frames and channels of one job share one table and one collection`()
    async throws
  {
    let harness = try KioskHarness()
    // Two frames, three channels, each of one brightness.
    let brightness: [UInt16] = [0, 1, 2, 10, 11, 12]
    let image = NDArray<UInt16>(
      shape: [2, 3, 4, 5], elements: brightness.flatMap { Array(repeating: $0, count: 20) })
    try harness.putInput(NPYEncoder.encode(AnyNDArray(image)), "stack.npy")
    var entries: [ZipEntry] = []
    for frame in 0..<2 {
      for channel in 0..<2 {
        var labels = NDArray<Int32>(shape: [4, 5])
        labels[frame, channel] = 7
        entries.append(
          ZipEntry(
            name: "stack_batch_\(frame)_feature_\(channel).tif",
            content: .bytes(try LabelFiles.encode(AnyNDArray(labels), channel: 0))))
      }
    }
    let key = try await harness.makeJob(
      "stack.npy",
      [
        "status": "done", "dimension_order": "BCXY", "channels": "0,2",
        "output_file_name": harness.putArchive(entries),
      ])
    let status = try await harness.kiosk("fetch", key, "--csv", "--geojson")
    #expect(status.exit == .code(0), "\(status.output)")
    #expect(status.standardError.contains("note") == false)
    #expect(
      try lines(harness, "stack_cells.csv") == [
        Self.header + ",mean_0,mean_1,mean_2",
        "stack.npy,0,0,7,1,0.0,0.0,0,0,1,1,0.0,1.0,2.0",
        "stack.npy,0,1,7,1,0.0,1.0,0,1,1,2,0.0,1.0,2.0",
        "stack.npy,1,0,7,1,1.0,0.0,1,0,2,1,10.0,11.0,12.0",
        "stack.npy,1,1,7,1,1.0,1.0,1,1,2,2,10.0,11.0,12.0",
      ])
    let properties = try features(harness, "stack_cells.geojson").map {
      $0["properties"] as? [String: Any]
    }
    #expect(properties.map { $0?["frame"] as? Int } == [0, 0, 1, 1])
    #expect(properties.map { $0?["channel"] as? Int } == [0, 1, 0, 1])
  }

  @Test(.redisServer) func `a movie's frames are drawn side by side and its tracks counted`()
    async throws
  {
    let harness = try KioskHarness()
    let frames = 8
    var labels = NDArray<Int32>(shape: [frames, 10, 12])
    var image = NDArray<Float>(shape: [frames, 10, 12])
    for frame in 0..<frames {
      labels[frame, 4, 5] = Int32(frame + 1)
      image[frame, 0, 0] = 1
    }
    try harness.putInput(NPYEncoder.encode(AnyNDArray(image)), "movie.npy")
    let lineage = #"{"1": {"daughters": [2, 3]}, "2": {"daughters": []}, "3": {"daughters": []}}"#
    let pages = AnyNDArray(try labels.reshaped(to: [frames, 10, 12, 1]))
    let output = try harness.putArchive([
      ZipEntry(
        name: "movie_feature_0.tif", content: .bytes(try LabelFiles.encode(pages, channel: 0))),
      ZipEntry(name: "lineage.json", content: .bytes(Array(lineage.utf8))),
    ])
    let key = try await harness.makeJob(
      "movie.npy", ["status": "done", "output_file_name": output])
    let status = try await harness.kiosk("fetch", key, "--labels", "--overlay")
    #expect(status.exit == .code(0), "\(status.output)")
    #expect(status.standardOutput.hasPrefix("movie.npy: 3 tracks, 1 division\n"))
    #expect(harness.files(in: ".").contains("movie_lineage.json"))
    for kind in ["labels", "overlay"] {
      let name = "movie_feature_0_\(kind).png"
      let picture = try ImageFile.decode(contentsOf: harness.folder.file(name), name: name).pixels
        .converted(to: UInt8.self)
      #expect(picture.shape == [2 * 10 + 4, 3 * 12 + 2 * 4, 3])
      for (place, frame) in [0, 1, 3, 4, 6, 7].enumerated() {
        let color = LabelColors.color(of: Int32(frame + 1))
        let (y, x) = (place / 3 * 14 + 4, place % 3 * 16 + 5)
        #expect((0..<3).map { picture[y, x, $0] } == [color.red, color.green, color.blue])
      }
    }
  }

  @Test(.redisServer) func `without the image the brightness is left out, with a remark`()
    async throws
  {
    let harness = try KioskHarness()
    let key = try await harness.makeJob(
      "gone.tif", ["status": "done", "output_file_name": harness.putLabels()])
    let status = try await harness.kiosk("fetch", key, "--csv", "--overlay", "--labels")
    #expect(status.exit == .code(0))
    #expect(
      harness.files(in: ".") == [
        "cells_batch_0_feature_0.tif", "cells_batch_0_feature_0_labels.png", "gone_cells.csv",
      ])
    #expect(try lines(harness, "gone_cells.csv").first == Self.header)
    #expect(try lines(harness, "gone_cells.csv").count == 3)
    #expect(status.standardError.contains("note: gone.tif: no brightness of the cells: "))
    #expect(status.standardError.contains("note: gone.tif: no picture of "))
  }

  @Test(.redisServer) func `an image of another size leaves brightness empty, with a remark`()
    async throws
  {
    let harness = try KioskHarness()
    let image = NDArray<Float>(shape: [3, 3], repeating: 1)
    try harness.putInput(NPYEncoder.encode(AnyNDArray(image)), "small.npy")
    let key = try await harness.makeJob(
      "small.npy", ["status": "done", "output_file_name": harness.putLabels()])
    let status = try await harness.kiosk("fetch", key, "--csv")
    #expect(status.exit == .code(0))
    #expect(
      try lines(harness, "small_cells.csv") == [
        Self.header + ",mean_0", "small.npy,0,0,1,100,9.5,9.5,5,5,15,15,",
        "small.npy,0,0,2,64,23.5,33.5,20,30,28,38,",
      ])
    #expect(status.standardError.contains("(40, 60)"))
  }

  @Test(.redisServer) func `a frame that the image lacks is not measured on another`()
    async throws
  {
    let harness = try KioskHarness()
    try harness.putInput(NPYEncoder.encode(AnyNDArray(KioskHarness.image)), "a.npy")
    let entry = ZipEntry(
      name: "a_batch_1_feature_0.tif",
      content: .bytes(try LabelFiles.encode(AnyNDArray(KioskHarness.labels), channel: 0)))
    let key = try await harness.makeJob(
      "a.npy", ["status": "done", "output_file_name": harness.putArchive([entry])])
    let status = try await harness.kiosk("fetch", key, "--csv", "--overlay")
    #expect(status.exit == .code(0))
    #expect(try lines(harness, "a_cells.csv").last == "a.npy,1,0,2,64,23.5,33.5,20,30,28,38,")
    #expect(harness.files(in: ".") == ["a_batch_1_feature_0.tif", "a_cells.csv"])
    #expect(status.standardError.components(separatedBy: "has no frame 1").count == 3)
  }

  @Test(.redisServer) func `cells of an archive are told apart by the images they are of`()
    async throws
  {
    let harness = try KioskHarness()
    let label = try LabelFiles.encode(AnyNDArray(KioskHarness.labels), channel: 0)
    let entries = ["a/x", "b/x"].map {
      ZipEntry(name: "\($0)_batch_0_feature_0.tif", content: .bytes(label))
    }
    let key = try await harness.makeJob(
      "plate.zip", ["status": "done", "output_file_name": harness.putArchive(entries)])
    let status = try await harness.kiosk("fetch", key, "--csv", "--geojson", "--labels")
    #expect(status.exit == .code(0), "\(status.output)")
    let files = try lines(harness, "plate_cells.csv").dropFirst().map { $0.prefix(4) }
    #expect(files == ["a/x,", "a/x,", "b/x,", "b/x,"])
    let properties = try features(harness, "plate_cells.geojson").map {
      ($0["properties"] as? [String: Any])?["file"] as? String
    }
    #expect(properties == ["a/x", "a/x", "b/x", "b/x"])
    #expect(harness.files(in: ".").contains("b/x_batch_0_feature_0_labels.png"))
  }

  @Test(.redisServer, arguments: [true, false])
  func `images of an archive are measured and drawn`(isLocal: Bool) async throws {
    let harness = try KioskHarness()
    let label = try LabelFiles.encode(AnyNDArray(KioskHarness.labels), channel: 0)
    let image = NPYEncoder.encode(AnyNDArray(KioskHarness.image))
    let dark = NPYEncoder.encode(AnyNDArray(KioskHarness.image.map { $0 / 2 }))
    let inputs = [
      ZipEntry(name: "a/x.npy", content: .bytes(image)),
      ZipEntry(name: "b/x.npy", content: .bytes(dark)),
    ]
    let archive =
      isLocal ? harness.folder.file("plate.zip") : harness.bucket.file("uploads/plate.zip")
    try FileManager.default.createDirectory(
      atPath: harness.bucket.file("uploads"), withIntermediateDirectories: true)
    try ZipWriter.write(inputs, to: archive, name: "plate.zip")
    // The last one's image is in the archive of another job.
    let output = try harness.putArchive(
      ["a/x", "b/x", "c/x"].map {
        ZipEntry(name: "\($0)_batch_0_feature_0.tif", content: .bytes(label))
      })

    let status: ChildProcess.Status
    if isLocal {
      let program = try await harness.start([
        "run", "plate.zip", "-t", "segmentation", "--csv", "--overlay",
      ])
      let job = try await harness.takeJob("segmentation-zip")
      try await harness.finish(job.key, output: output)
      try await program.waitForExit(within: .seconds(60))
      status = await program.status
    } else {
      let key = try await harness.makeJob(
        "plate.zip", ["status": "done", "output_file_name": output])
      status = try await harness.kiosk("fetch", key, "--csv", "--overlay")
    }
    #expect(status.exit == .code(0), "\(status.output)")
    let rows = try lines(harness, "plate_cells.csv")
    #expect(rows[0].hasSuffix(",mean_0"))
    #expect(rows[1].hasPrefix("a/x,0,0,1,100,") && rows[1].hasSuffix(",509.5"))
    #expect(rows[3].hasPrefix("b/x,0,0,1,100,") && rows[3].hasSuffix(",254.75"))
    #expect(rows[5].hasPrefix("c/x,0,0,1,100,") && rows[5].hasSuffix(","))
    #expect(status.standardError.contains("the archive that was sent has no image c/x"))
    let pictures = harness.files(in: ".").filter { $0.hasSuffix("_overlay.png") }
    #expect(
      pictures == ["a/x_batch_0_feature_0_overlay.png", "b/x_batch_0_feature_0_overlay.png"])
  }

  @Test(.redisServer, arguments: [Float(0.25), -1, .nan, 0x1p31])
  func `what a model answers is not counted as cells`(value: Float) async throws {
    let harness = try KioskHarness()
    var map = KioskHarness.labels.map { Float($0) }
    map[0, 0] = value
    let key = try await harness.makeJob(
      "a.tif",
      [
        "status": "done",
        "output_file_name": harness.putArchive([
          ZipEntry(
            name: "a_feature_0.tif",
            content: .bytes(try LabelFiles.encode(AnyNDArray(map), channel: 0)))
        ]),
      ])
    let status = try await harness.kiosk(
      "fetch", key, "--csv", "--geojson", "--labels", "--overlay")
    #expect(status.exit == .code(0), "\(status.output)")
    #expect(harness.files(in: ".") == ["a_feature_0.tif"])
    #expect(status.standardOutput == "a.tif: 1 file\n  a_feature_0.tif\n")
    #expect(
      status.standardError.contains(
        "note: a.tif: no tables or pictures of a_feature_0.tif: it has the values of the model, "
          + "not cells\n"))
    #expect(!status.standardError.contains("hint"))
  }

  @Test(.redisServer) func `no label images means no tables, and --no-unzip means no exports`()
    async throws
  {
    let harness = try KioskHarness()
    let output = try harness.putArchive([ZipEntry(name: "lineage.json", content: .bytes([1]))])
    let key = try await harness.makeJob("a.tif", ["status": "done", "output_file_name": output])
    #expect(try await harness.kiosk("fetch", key, "--csv", "--geojson").exit == .code(0))
    #expect(harness.files(in: ".") == ["lineage.json"])
    for option in ["--csv", "--geojson", "--labels", "--overlay"] {
      let status = try await harness.kiosk("fetch", key, option, "--no-unzip")
      #expect(status.exit == .code(2))
      #expect(status.standardError.contains(option))
    }
  }
}
