import Arrays
import Foundation
import ImageFiles
import JobQueue
import RedisClient
import TestSupport
import Testing

@testable import Consumers

/// Jobs that name their model and its processing.
@Suite struct NamedModelTests {
  /// Two bright squares of 100 and 64 pixels, and a speck, on a dark background.
  private static let image: NDArray<Float> = {
    var image = NDArray<Float>(shape: [96, 80])
    for row in 10..<20 { for column in 12..<22 { image[row, column] = 0.95 } }
    for row in 50..<58 { for column in 60..<68 { image[row, column] = 0.9 } }
    for row in 80..<83 { for column in 3..<6 { image[row, column] = 1 } }
    return image
  }()

  private struct Outcome {
    let fields: [String: String]
    let statuses: [String]
    let files: [String: NDArray<Float>]

    var reason: String { fields["reason"] ?? "" }
    func areas(_ name: String = "squares_feature_0.tif") -> [Int] {
      let labels = files[name]?.elements.filter { $0 > 0 } ?? []
      return Dictionary(grouping: labels) { $0 }.sorted { $0.key < $1.key }.map(\.value.count)
    }
  }

  private static func run(
    _ models: PixelModels, _ fields: [String: String], image: NDArray<Float> = image,
    change: (inout ConsumerSettings) -> Void = { _ in }
  ) async throws -> Outcome {
    let harness = try ConsumerHarness(models: models.client, change: change)
    let key = try await harness.submit(
      Data(
        try LabelFiles.encode(
          AnyNDArray(image.expandingDimensions(at: image.rank)), channel: 0)), name: "squares.tif",
      fields: fields)
    var end: [String: String] = [:]
    try await harness.withService(ImageConsumer.self) { _ in end = try await harness.end(of: key) }
    #expect(try harness.leftovers.isEmpty)
    var files: [String: NDArray<Float>] = [:]
    if let output = end["output_file_name"] {
      let reader = try ZipReader(path: harness.store.file(output), name: "output.zip")
      for member in reader.members {
        let bytes = try reader.bytes(of: member, limit: member.size)
        files[member.name] = try ImageFile.decode(bytes, name: member.name).pixels.asFloat
      }
    }
    return Outcome(fields: end, statuses: [], files: files)
  }

  private static func fields(
    _ model: String = "Pixels:1", _ more: [String: String] = [:]
  ) -> [String: String] {
    let parts = model.split(separator: ":").map(String.init)
    return ["model_name": parts[0], "model_version": parts[1]].merging(more) { $1 }
  }

  @Test(
    .redisServer,
    arguments: [
      ["cuts": "0"], ["cuts": "2", "field_size": "11"], ["cuts": "4"], [:],
      ["preprocess_function": "none"], ["dimension_order": "XY"], ["channels": "0"],
    ])
  func `objects are labelled as the job asks`(extra: [String: String]) async throws {
    let models = try PixelModels()
    for function in ["pixelwise", "deepcell"] {
      let job = Self.fields("Pixels:1", ["postprocess_function": function].merging(extra) { $1 })
      let outcome = try await Self.run(models, job)
      #expect(outcome.fields["status"] == "done", "\(outcome.reason)")
      #expect(Array(outcome.files.keys) == ["squares_feature_0.tif"])
      #expect(outcome.files["squares_feature_0.tif"]?.shape == [96, 80])
      #expect(outcome.areas() == [100, 64], "the speck is too small")
      #expect(outcome.fields["scale"] == "1")
    }
  }

  @Test(.redisServer) func `a model of fixed size gets tiles`() async throws {
    let models = try PixelModels()
    let outcome = try await Self.run(
      models, Self.fields("Tiles:2", ["postprocess_function": "pixelwise"]))
    #expect(outcome.areas() == [100, 64], "\(outcome.reason)")
  }

  @Test(.redisServer) func `without post-processing the answer is the result`() async throws {
    let models = try PixelModels()
    let outcome = try await Self.run(models, Self.fields())
    #expect(outcome.fields["status"] == "done", "\(outcome.reason)")
    #expect(
      outcome.files.keys.sorted() == (0..<3).map { "squares_feature_\($0).tif" },
      "of outputs called prediction")
    #expect(outcome.files["squares_feature_1.tif"] == Self.image)
    #expect(outcome.files["squares_feature_2.tif"] == Self.image.map { 1 - $0 })
  }

  @Test(.redisServer) func `all outputs called prediction are put together`() async throws {
    let models = try PixelModels()
    let two = NDArray<Float>(
      shape: [2, 96, 80], elements: Self.image.elements + Self.image.elements.map { $0 * 2 })
    let outcome = try await Self.run(
      models, Self.fields("Pair:1", ["dimension_order": "CXY"]), image: two)
    #expect(outcome.fields["status"] == "done", "\(outcome.reason)")
    #expect(outcome.files.count == 4)
    #expect(outcome.files["squares_feature_1.tif"] == Self.image.map { $0 * 2 })
    #expect(outcome.files["squares_feature_2.tif"] == Self.image.map { -$0 })

    let swapped = try await Self.run(
      models, Self.fields("Pair:1", ["dimension_order": "CXY", "channels": "1,0"]), image: two)
    #expect(swapped.files["squares_feature_0.tif"] == Self.image.map { $0 * 2 })
  }

  @Test(.redisServer) func `a stack is one file with a page for each image`() async throws {
    let models = try PixelModels()
    let stack = NDArray<Float>(
      shape: [5, 96, 80], elements: (0..<5).flatMap { _ in Self.image.elements })
    let outcome = try await Self.run(
      models, Self.fields("Pixels:1", ["postprocess_function": "pixelwise"]), image: stack)
    #expect(outcome.fields["status"] == "done", "\(outcome.reason)")
    #expect(outcome.fields["dim_order"] == "BXY")
    #expect(outcome.files["squares_feature_0.tif"]?.shape == [5, 96, 80])
    #expect(outcome.files["squares_feature_0.tif"]?.elements.max() == 2, "labels per image")
  }

  @Test(.redisServer) func `the model sees the image at the job's scale`() async throws {
    let models = try PixelModels()
    let outcome = try await Self.run(
      models, Self.fields("Pixels:1", ["postprocess_function": "pixelwise", "scale": "0.5"]))
    #expect(outcome.files["squares_feature_0.tif"]?.shape == [96, 80])
    #expect(outcome.areas().isEmpty, "25 and 16 pixels are too few")
    let larger = try await Self.run(
      models, Self.fields("Pixels:1", ["postprocess_function": "pixelwise", "scale": "3"]))
    #expect(larger.areas() == [100, 64, 9], "the speck has 81 pixels")
  }

  @Test(.redisServer) func `half precision gets numbers between whole ones`() async throws {
    let models = try PixelModels()
    let outcome = try await Self.run(
      models, Self.fields("Pixels_f16:1", ["postprocess_function": "pixelwise"]))
    #expect(outcome.areas() == [100, 64], "\(outcome.reason)")
    #expect(models.types == [.float16])
  }

  @Test(
    .redisServer,
    arguments: [
      (["model_version": ""], "invalid_input", "set model_version"),
      (["model_version": "latest"], "invalid_input", "\"Pixels:latest\""),
      (["model_name": "No such"], "invalid_input", "\"No such:1\""),
      (["model_name": "Unknown"], "unsupported_model", "the model Unknown version 1"),
      (["model_version": "7"], "unsupported_model", "the model Pixels version 7"),
      (["model_name": "Numbers"], "unsupported_model", "DT_INT32"),
      (["model_name": "Pair"], "invalid_input", "2-channel images"),
      (["preprocess_function": "sharpen"], "invalid_input", "\"sharpen\" is not a valid pre-"),
      (["postprocess_function": "sharpen"], "invalid_input", "\"sharpen\" is not a valid post-"),
      (["postprocess_function": "retinanet"], "invalid_input", "not supported"),
      (["postprocess_function": "retinanet-semantic"], "invalid_input", "not supported"),
      (["postprocess_function": "mibi,watershed"], "invalid_input", "more than one"),
      (["cuts": "-1"], "invalid_input", "cuts \"-1\""),
      (["cuts": "many"], "invalid_input", "cuts \"many\""),
      (["cuts": "90"], "invalid_input", "90 x 90 pieces"),
      (["field_size": "0"], "invalid_input", "field_size \"0\""),
      (["cuts": "2", "field_size": "10"], "invalid_input", "field_size \"10\" is not an odd"),
      (["channels": "3"], "invalid_input", "channel 3"),
      (["postprocess_function": "deep_watershed"], "predict_invalid", "at least 2 outputs"),
    ])
  func `what cannot be done is said`(
    extra: [String: String], code: String, words: String
  ) async throws {
    let models = try PixelModels()
    let outcome = try await Self.run(models, Self.fields().merging(extra) { $1 })
    #expect(outcome.fields["status"] == "failed")
    #expect(outcome.fields["error_code"] == code, "\(outcome.reason)")
    #expect(outcome.reason.contains(words), "\(outcome.reason)")
    #expect(!outcome.reason.contains("\n"))
  }
}
