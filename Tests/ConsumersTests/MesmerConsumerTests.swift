import Arrays
import Foundation
import ImageAlgorithms
import ImageFiles
import JobQueue
import RedisClient
import TestSupport
import Testing

@testable import Consumers

@Suite struct MesmerConsumerTests {
  /// Bright discs on a dark ground in each of several channels, those of each elsewhere:
  /// `[row, column, channel]`.
  private static func image(
    rows: Int = 70, columns: Int = 90, channels: Int = 2
  ) -> NDArray<Float> {
    var image = NDArray<Float>(shape: [rows, columns, channels])
    for row in 0..<rows {
      for column in 0..<columns {
        for channel in 0..<channels {
          let (y, x) = ((row + 7 * channel) % 30 - 15, (column + 11 * channel) % 34 - 17)
          let isInside = y * y + x * x < 30 + 20 * channel
          image[row, column, channel] = isInside ? 900 : Float((row * 7 + column) % 13)
        }
      }
    }
    return image
  }

  /// What the job must give for one frame of two channels.
  private static func labels(
    _ frame: NDArray<Float>, _ compartment: MesmerPostprocessing.Compartment = .wholeCell,
    scale: Double = 1
  ) async throws -> NDArray<Int32> {
    let application = MesmerApplication(
      postprocessing: MesmerPostprocessing(compartment: compartment))
    return try await application.labels(
      of: frame.expandingDimensions(at: 0), scale: scale, modelShape: [-1, 64, 64, 2], batchSize: 4
    ) { tiles in
      BrightModels.heads(of: tiles, by: "MultiplexSegmentation").sorted { $0.key < $1.key }
        .map(\.value)
    }
  }

  private struct Outcome {
    let fields: [String: String]
    let images: [String: NDArray<Float>]
  }

  private static func run(
    _ image: NDArray<Float>, _ fields: [String: String] = [:], type: String = "mesmer",
    change: (inout ConsumerSettings) -> Void = { _ in }
  ) async throws -> Outcome {
    let models = try BrightModels(side: 64).serve()
    let harness = try ConsumerHarness(models: models.client, change: change)
    let key = try await harness.submit(
      Data(NPYEncoder.encode(image)), name: "plate/cells.npy", fields: fields)
    let type = try #require(consumers[type])
    var end: [String: String] = [:]
    try await harness.withService(type) { _ in end = try await harness.end(of: key) }
    #expect(end["status"] == "done", "\(end["reason"] ?? "")")
    #expect(try harness.leftovers.isEmpty)
    let archive = harness.store.file(try #require(end["output_file_name"]))
    let reader = try ZipReader(path: archive, name: "output.zip")
    var images: [String: NDArray<Float>] = [:]
    for member in reader.members {
      let bytes = try reader.bytes(of: member, limit: member.size)
      images[member.name] = try ImageFile.decode(bytes, name: member.name).pixels.asFloat
    }
    return Outcome(fields: end, images: images)
  }

  private static let names = ["plate/cells_feature_0.tif", "plate/cells_feature_1.tif"]

  @Test(.redisServer, arguments: ["mesmer", "multiplex"])
  func `whole cells are labelled unless the job says otherwise`(type: String) async throws {
    let image = Self.image()
    let outcome = try await Self.run(image, type: type)
    let expected = try await Self.labels(image)
    #expect(Set(expected.elements).count > 3)
    #expect(outcome.images.keys.sorted() == [Self.names[0]])
    #expect(outcome.images[Self.names[0]]?.shape == [1, 70, 90])
    #expect(outcome.images[Self.names[0]]?.elements == expected.asFloat.elements)
    #expect(outcome.fields["dim_order"] == "YXC")
    #expect(outcome.fields["scale"] == "1")
    #expect(outcome.fields["progress"] == "100")
  }

  @Test(.redisServer) func `the job's compartment comes before that of the settings`() async throws
  {
    let image = Self.image()
    let setting = try await Self.run(image) { $0.mesmerCompartment = .nuclear }
    let nuclei = try await Self.labels(image, .nuclear)
    #expect(setting.images.mapValues(\.elements) == [Self.names[0]: nuclei.asFloat.elements])

    let both = try await Self.run(image, ["compartment": "both"]) {
      $0.mesmerCompartment = .nuclear
    }
    let cells = try await Self.labels(image, .wholeCell)
    #expect(nuclei != cells)
    #expect(
      both.images.mapValues(\.elements) == [
        Self.names[0]: cells.asFloat.elements, Self.names[1]: nuclei.asFloat.elements,
      ])
  }

  @Test(.redisServer, arguments: ["3,1", " 3 , ,1,", "3,1,"])
  func `channels pick the nuclei, then the membranes`(channels: String) async throws {
    let image = Self.image(channels: 4)
    let outcome = try await Self.run(image, ["channels": channels])
    let expected = try await Self.labels(image.selectingChannels([3, 1]))
    #expect(outcome.images[Self.names[0]]?.elements == expected.asFloat.elements)
  }

  @Test(.redisServer) func `channels may come first, and axes of length 1 do not count`()
    async throws
  {
    let image = Self.image()
    let expected = try await Self.labels(image).asFloat.elements
    let first = image.movingAxis(2, to: 0)
    for (image, order) in [
      (first, "CYX"), (first.expandingDimensions(at: 0), "CYX"),
      (image.expandingDimensions(at: 0).expandingDimensions(at: 3), "YXC"),
    ] {
      // What a client writes of the order is about segmentation jobs.
      let outcome = try await Self.run(image, ["dimension_order": "BXY"])
      #expect(outcome.images[Self.names[0]]?.elements == expected)
      #expect(outcome.fields["dim_order"] == order)
    }
  }

  @Test(.redisServer) func `frames of a stack become the pages of the result`() async throws {
    let frames = [Self.image(), Self.image().map { 900 - $0 }, Self.image().map { $0 * 3 }]
    let outcome = try await Self.run(
      try NDArray.concatenated(frames.map { $0.expandingDimensions(at: 0) }))
    let pages = try #require(outcome.images[Self.names[0]])
    #expect(pages.shape == [3, 70, 90])
    for (index, frame) in frames.enumerated() {
      #expect(try await pages.slice(index).elements == Self.labels(frame).asFloat.elements)
    }
  }

  @Test(.redisServer) func `a scale resizes the image and its labels back`() async throws {
    let image = Self.image()
    let outcome = try await Self.run(image, ["scale": "1.4"])
    let expected = try await Self.labels(image, scale: 1.4)
    #expect(outcome.images[Self.names[0]]?.elements == expected.asFloat.elements)
    #expect(outcome.fields["scale"] == "1.4")
  }

  @Test(.redisServer, arguments: [[70, 90, 2], [1, 1, 70, 9, 2], [40, 3, 2], [3, 70, 90, 2]])
  func `an empty image has no cells`(shape: Shape) async throws {
    let outcome = try await Self.run(NDArray(shape: shape), ["compartment": "both"])
    #expect(outcome.images.keys.sorted() == Self.names)
    for image in outcome.images.values {
      #expect(image.count == shape.reduce(1, *) / 2)
      #expect(image.elements.allSatisfy { $0 == 0 })
    }
  }
}
