import Arrays
import Foundation
import ImageFiles
import JobQueue
import RedisClient
import Serving
import TestSupport
import Testing

@testable import Consumers

/// Scale and label detection: models that look at an image before its cells are looked for.
@Suite struct DetectionTests {
  private static let scaleModel = ModelName(name: "ScaleDetection", version: 1)
  private static let labelModel = ModelName(name: "LabelDetection", version: 1)

  private static func image(brightness: Float = 1) -> NDArray<Float> {
    NDArray(shape: [64, 70], elements: (0..<64 * 70).map { $0 % 9 == 0 ? brightness : 0 })
  }

  /// Runs a job with both detections on.
  private static func run(
    _ models: PixelModels, _ fields: [String: String] = [:], image: NDArray<Float> = image(),
    change: (inout ConsumerSettings) -> Void = {
      $0.scaleDetectionModel = scaleModel
      $0.labelDetectionModel = labelModel
    }
  ) async throws -> [String: String] {
    let harness = try ConsumerHarness(models: models.client, change: change)
    let key = try await harness.submit(
      Data(
        try LabelFiles.encode(
          AnyNDArray(image.expandingDimensions(at: image.rank)), channel: 0)), fields: fields)
    var end: [String: String] = [:]
    try await harness.withService(ImageConsumer.self) { _ in end = try await harness.end(of: key) }
    return end
  }

  @Test(.redisServer) func `off means that no call is made`() async throws {
    let models = try PixelModels()
    let end = try await Self.run(models) { _ in }
    #expect(end["status"] == "done", "\(end["reason"] ?? "")")
    #expect(end["scale"] == "1")
    #expect(end["label"] == nil || end["label"] == "")
    #expect(models.calls(of: "ScaleDetection:1") == 0)
    #expect(models.calls(of: "LabelDetection:1") == 0)
    #expect(models.calls(of: "NuclearSegmentation:6") > 0)
  }

  @Test(.redisServer) func `on, the image decides on scale and model`() async throws {
    let models = try PixelModels()
    let end = try await Self.run(models)
    #expect(end["status"] == "done", "\(end["reason"] ?? "")")
    #expect(end["scale"] == "2.0")
    #expect(end["label"] == "1")
    #expect(models.calls(of: "CytoplasmSegmentation:5") > 0)
    #expect(models.calls(of: "NuclearSegmentation:6") == 0)
  }

  @Test(.redisServer) func `what a job says is not looked for`() async throws {
    let models = try PixelModels()
    for fields in [["scale": "1", "channels": "0,"], ["scale": "1", "label": "0"]] {
      let end = try await Self.run(models, fields)
      #expect(end["status"] == "done", "\(end["reason"] ?? "")")
    }
    #expect(models.calls(of: "ScaleDetection:1") == 0)
    #expect(models.calls(of: "LabelDetection:1") == 0)
    #expect(models.calls(of: "CytoplasmSegmentation:5") == 0)
  }

  @Test(.redisServer) func `a job's label picks the model where channels do not`() async throws {
    let models = try PixelModels()
    let end = try await Self.run(models, ["label": "1"]) { _ in }
    #expect(end["status"] == "done", "\(end["reason"] ?? "")")
    #expect(models.calls(of: "CytoplasmSegmentation:5") > 0)
    #expect(models.calls(of: "NuclearSegmentation:6") == 0)

    let wrong = try await Self.run(models, ["label": "nuclei"]) { _ in }
    #expect(wrong["error_code"] == "invalid_input")
    #expect(wrong["reason"]?.contains("label \"nuclei\"") == true)
    let unused = try await Self.run(models, ["label": "nuclei", "channels": "0,"]) { _ in }
    #expect(unused["status"] == "done")
  }

  @Test(.redisServer) func `a scale out of range asks for one`() async throws {
    let end = try await Self.run(try PixelModels(), image: Self.image(brightness: 200))
    #expect(end["status"] == "failed")
    #expect(end["error_code"] == "invalid_input")
    #expect(end["reason"]?.contains("40") == true)
    #expect(end["reason"]?.hasSuffix("set scale") == true)
  }

  @Test(.redisServer) func `a job that names its model has its scale detected too`() async throws {
    let models = try PixelModels()
    let end = try await Self.run(models, ["model_name": "Pixels", "model_version": "1"])
    #expect(end["status"] == "done", "\(end["reason"] ?? "")")
    #expect(end["scale"] == "2.0")
    #expect(models.calls(of: "LabelDetection:1") == 0, "the model is chosen already")
  }

  @Test(.redisServer) func `a missing detection model fails the job by name`() async throws {
    let end = try await Self.run(try PixelModels()) {
      $0.scaleDetectionModel = ModelName(name: "NoScale", version: 3)
    }
    #expect(end["error_code"] == "unsupported_model")
    #expect(end["reason"]?.contains("NoScale version 3") == true)
  }
}
