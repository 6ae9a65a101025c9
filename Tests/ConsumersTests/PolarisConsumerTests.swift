import Arrays
import Foundation
import ImageAlgorithms
import ImageFiles
import JobQueue
import RedisClient
import Serving
import TestSupport
import Testing

@testable import Consumers

/// Jobs on spots in cells, with real jobs for their parts.
@Suite struct PolarisConsumerTests {
  struct Outcome {
    let key: String
    let fields: [String: String]
    /// The result's files; nil without one.
    let files: [String: [UInt8]]?
    /// What the job made, by the queue it went to.
    let children: [String: [[String: String]]]

    func table(_ frame: Int = 0) throws -> [String] {
      let bytes = try #require(files?["plate/spots_\(frame).csv"])
      let text = String(decoding: bytes, as: UTF8.self)
      #expect(text.hasSuffix("\r\n"))
      return text.components(separatedBy: "\r\n").dropLast()
    }

    func labels(_ name: String) throws -> NDArray<Int32> {
      let bytes = try #require(files?[name])
      return try ImageFile.decode(bytes, name: name).pixels.converted(to: Int32.self)
    }
  }

  /// Does a job with consumers of all queues, and sees its parts removed.
  static func run(
    _ input: [UInt8], name: String = "plate/spots.npy", _ fields: [String: String],
    change: (inout ConsumerSettings) -> Void = { _ in }
  ) async throws -> Outcome {
    let models = try BrightModels(side: 64).serve()
    let harness = try ConsumerHarness(models: models.client) {
      $0.segmentationQueue = "segmentation"
      change(&$0)
    }
    let key = try await harness.submit(Data(input), name: name, fields: fields)
    var end: [String: String] = [:]
    try await harness.withService(PolarisConsumer.self) { _ in
      try await harness.withService(SpotConsumer.self, on: "spot") { _ in
        try await harness.withService(MesmerConsumer.self, on: "mesmer") { _ in
          try await harness.withService(ImageConsumer.self, on: "segmentation") { _ in
            end = try await harness.end(of: key)
          }
        }
      }
    }
    #expect(try harness.leftovers.isEmpty)

    var children: [String: [[String: String]]] = [:]
    for child in (end["children"] ?? "").split(separator: ",").map(String.init) {
      let queue = String(child.prefix { $0 != ":" })
      children[queue, default: []].append(try await harness.fields(child))
    }
    var files: [String: [UInt8]]?
    if let output = end["output_file_name"] {
      let reader = try ZipReader(path: harness.store.file(output), name: "output.zip")
      files = [:]
      for member in reader.members {
        files?[member.name] = try reader.bytes(of: member, limit: member.size)
      }
    }
    let folder = harness.store.file("output")
    let left = FileManager.default.enumerator(atPath: folder)?.allObjects as? [String] ?? []
    #expect(left.filter { $0.hasSuffix(".tif") } == [], "parts are removed")
    if files != nil {
      #expect(left.count { $0.hasSuffix(".zip") } == 1, "and their results: \(left)")
    }
    return Outcome(key: key, fields: end, files: files, children: children)
  }

  /// Dots, and discs of nuclei within discs of cells, `[frame, row, column, channel]`. No two frames are
  /// alike.
  private static func image(frames: Int = 1, rows: Int = 64, columns: Int = 60) -> NDArray<Float> {
    var image = NDArray<Float>(shape: [frames, rows, columns, 3], repeating: 5)
    for frame in 0..<frames {
      for row in 0..<rows {
        for column in 0..<columns {
          let (y, x) = ((row + 3 * frame) % 30 - 15, column % 28 - 14)
          if y * y + x * x < 40 { image[frame, row, column, 1] = 700 }
          if y * y + x * x < 110 { image[frame, row, column, 2] = 900 }
        }
      }
      for place in [(15, 14), (40, 40), (7, 30), (22, 5), (50, 15 + frame)] {
        image[frame, place.0, place.1, 0] = 300
      }
    }
    return image
  }

  /// Checks a table against the label images of the same result.
  private static func check(
    _ outcome: Outcome, frame: Int = 0, features: Int, spots: Int = 5
  ) throws {
    let table = try outcome.table(frame)
    let header = ["x", "y"] + (0..<features).map { "cellID\($0)" }
    #expect(table.first == header.joined(separator: ","))
    #expect(table.count == spots + 1)
    for feature in 0..<features {
      let labels = try outcome.labels("plate/spots_batch_\(frame)_feature_\(feature).tif")
      #expect(labels.rank == 2)
      var found: Set<Int32> = []
      for row in table.dropFirst() {
        let values = row.split(separator: ",").compactMap { Double($0) }
        #expect(values.count == 2 + features)
        let cell = Int32(values[2 + feature])
        #expect(labels[Int(values[1]), Int(values[0])] == cell)
        found.insert(cell)
      }
      #expect(found.count > 1, "spots are in different cells")
    }
  }

  @Test(.redisServer) func `spots in a culture have the numbers of nuclei and cells`() async throws
  {
    let outcome = try await Self.run(
      NPYEncoder.encode(Self.image().slice(0)),
      ["channels": "0,1,2", "segmentation_type": "cell culture", "scale": "1"])
    #expect(outcome.fields["status"] == "done", "\(outcome.fields["reason"] ?? "")")
    #expect(
      outcome.files?.keys.sorted() == [
        "plate/spots_0.csv", "plate/spots_batch_0_feature_0.tif",
        "plate/spots_batch_0_feature_1.tif",
      ])
    try Self.check(outcome, features: 2)
    // Nuclei are in front of the cells that they are in.
    let nuclei = try outcome.labels("plate/spots_batch_0_feature_0.tif").elements
    let cells = try outcome.labels("plate/spots_batch_0_feature_1.tif").elements
    #expect(nuclei.count { $0 > 0 } < cells.count { $0 > 0 })

    #expect(outcome.children["segmentation"]?.compactMap { $0["channels"] } == ["0,", ",0"])
    #expect(outcome.children.mapValues(\.count) == ["spot": 1, "segmentation": 2])
    for child in outcome.children.values.joined() {
      #expect(child["status"] == "done")
      #expect(child["dimension_order"] == "BXY" && child["scale"] == "1.0")
    }
  }

  @Test(.redisServer) func `spots in tissue have the numbers of a mesmer job`() async throws {
    let outcome = try await Self.run(
      NPYEncoder.encode(Self.image().slice(0)),
      [
        "channels": "0,1,2", "segmentation_type": "tissue", "compartment": "both", "scale": "1",
      ])
    #expect(outcome.fields["status"] == "done", "\(outcome.fields["reason"] ?? "")")
    try Self.check(outcome, features: 2)
    #expect(outcome.children.mapValues(\.count) == ["spot": 1, "mesmer": 1])
  }

  @Test(.redisServer, arguments: ["tissue", "cell culture"])
  func `each frame has a table and labels of its own`(type: String) async throws {
    // Higher than wide: what comes first are the frames, all the same.
    let image = Self.image(frames: 3, rows: 70, columns: 60)
    let outcome = try await Self.run(
      NPYEncoder.encode(image),
      ["channels": "0,1,2", "segmentation_type": type, "scale": "1", "dimension_order": "BXYC"])
    #expect(outcome.fields["status"] == "done", "\(outcome.fields["reason"] ?? "")")
    for frame in 0..<3 {
      try Self.check(outcome, frame: frame, features: type == "tissue" ? 1 : 2)
    }
    #expect(try outcome.table(0) != outcome.table(1))
  }

  @Test(.redisServer) func `without a type there are spots alone, also none`() async throws {
    for fields in [[:], ["segmentation_type": "none", "channels": "0,1,2"], ["channels": "0"]] {
      let outcome = try await Self.run(NPYEncoder.encode(Self.image().slice(0)), fields)
      #expect(outcome.fields["status"] == "done", "\(outcome.fields["reason"] ?? "")")
      #expect(outcome.files?.keys.sorted() == ["plate/spots_0.csv"])
      #expect(try outcome.table().count == 6)
      #expect(outcome.children["spot"]?.first?["scale"] == "0.38")
    }
    let blank = try await Self.run(
      NPYEncoder.encode(NDArray<Float>(shape: [40, 50], repeating: 1)), [:])
    #expect(try blank.table() == ["x,y"])
  }

  @Test(.redisServer, arguments: GoldenJob.polaris)
  func `a job gives the fields and the files that it gave`(golden: GoldenJob) async throws {
    let input = try Data(contentsOf: URL(filePath: Fixtures.jobs + "/inputs/\(golden.input)"))
    let outcome = try await Self.run(
      Array(input), name: golden.input,
      golden.before.filter { !$0.key.hasSuffix("_at") && $0.key != "status" })
    for (field, value) in golden.after where !GoldenJobTests.fieldsThatDiffer.contains(field) {
      #expect(outcome.fields[field] == value, "\(field)")
    }
    #expect(outcome.files?.keys.sorted() == golden.members.map(\.name).sorted())
    for member in golden.members {
      let bytes = try #require(outcome.files?[member.name])
      if let head = member.head {
        let lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n")
        #expect(lines.first == head.first)
        #expect(lines.count > 2)
      } else {
        let pixels = try ImageFile.decode(bytes, name: member.name).pixels
        #expect(pixels.shape == member.shape && pixels.dtype.rawValue == member.dtype)
      }
    }
  }

  @Test(
    .redisServer,
    arguments: [
      (["segmentation_type": "organ"], "segmentation_type \"organ\" is none of"),
      (["channels": "a"], "\"a\" is not a channel number"),
      (["channels": "-1"], "\"-1\" is not a channel number"),
      (["channels": ",0,1"], "names no channel of spots"),
      (["channels": "0,1,2,0"], "has more than 3 entries"),
      (["channels": "3"], "has 3 channels but channel 3 was selected"),
      (["channels": "0,1,9", "segmentation_type": "tissue"], "but channel 9 was selected"),
      (["channels": "0,1,", "segmentation_type": "tissue"], "in two channels"),
      (["channels": "0,,", "segmentation_type": "cell culture"], "name one in channels"),
      (["scale": "abc"], "scale \"abc\" is not a number"),
      (["dimension_order": "QQ"], "is not an order of axes"),
      (["dimension_order": "XY"], "dimension order was XY but input image has shape"),
    ])
  func `bad fields fail before anything is made`(
    fields: [String: String], words: String
  ) async throws {
    let outcome = try await Self.run(NPYEncoder.encode(Self.image().slice(0)), fields)
    #expect(outcome.fields["status"] == "failed")
    #expect(outcome.fields["error_code"] == "invalid_input")
    #expect(outcome.fields["reason"]?.contains(words) == true, "\(outcome.fields["reason"] ?? "")")
    #expect(outcome.children.isEmpty)
  }

  @Test(.redisServer) func `bad images fail before anything is made`() async throws {
    var nan = Self.image().slice(0)
    nan[3, 3, 1] = .nan
    for (image, words) in [
      (nan, "channel 1 of the image has 1 of 3840 pixels"),
      (NDArray(shape: [2049, 3, 3]), "larger than the maximum supported image size"),
      (NDArray(shape: [0, 3]), "no pixels"), (NDArray(shape: [7]), "images have 2 to 4 axes"),
    ] {
      let outcome = try await Self.run(NPYEncoder.encode(image), [:])
      #expect(outcome.fields["status"] == "failed")
      #expect(
        outcome.fields["reason"]?.contains(words) == true, "\(outcome.fields["reason"] ?? "")")
      #expect(outcome.children.isEmpty)
    }
  }

  @Test(.redisServer) func `a part that fails fails the job, by its name and reason`() async throws
  {
    let none = ModelName(name: "Nope", version: 1)
    for (isSpot, words) in [
      (true, "the spots of plate/spots.npy could not be found"),
      (false, "the cells of plate/spots.npy could not be found"),
    ] {
      let outcome = try await Self.run(
        NPYEncoder.encode(Self.image().slice(0)),
        ["channels": "0,1,2", "segmentation_type": "tissue"]
      ) { settings in
        if isSpot { settings.spotModel = none } else { settings.mesmerModel = none }
      }
      #expect(outcome.fields["status"] == "failed")
      #expect(outcome.fields["error_code"] == "unsupported_model")
      let reason = outcome.fields["reason"] ?? ""
      #expect(reason.contains(words) && reason.contains("the model Nope version"), "\(reason)")
      #expect(outcome.files == nil)
    }
  }
}
