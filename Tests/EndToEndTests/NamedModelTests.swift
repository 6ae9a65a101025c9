import Arrays
import ConsumerTestSupport
import Foundation
import ImageFiles
import TestSupport
import Testing

/// The built daemon on a real image, with the models of `kiosk-model-server`.
@Suite(.programs) struct NamedModelTests {
  private static let examples = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Examples")

  private static func run(
    _ fields: [String: String], environment: [String: String] = [:]
  ) async throws -> ConsumerTestResult {
    try await ConsumerTest.run(
      program: "consume-redis-events", type: "segmentation",
      input: examples.appending(path: "nuclei.tif"), fields: fields,
      timeLimit: .seconds(300), environment: environment)
  }

  private static func score(_ labels: NDArray<Float>?) throws -> DetectionScore {
    let truth = try ImageFile.decode(
      contentsOf: examples.appending(path: "nuclei-labels.tif").path, name: "nuclei-labels.tif")
    let labels = try #require(labels)
    return DetectionScore(
      found: AnyNDArray(labels).converted(to: Int32.self),
      truth: try truth.pixels.converted(to: Int32.self).reshaped(to: labels.shape))
  }

  @Test(arguments: [
    ["postprocess_function": "pixelwise"], ["postprocess_function": "mibi"],
    ["postprocess_function": "deepcell", "cuts": "2"],
  ])
  func `a job that names Pixelwise finds the nuclei`(fields: [String: String]) async throws {
    let names = ["model_name": "Pixelwise", "model_version": "1"]
    let result = try await Self.run(fields.merging(names) { $1 })
    #expect(result.status == .done, "\(result)")
    #expect(Array(result.images.keys) == ["nuclei_feature_0.tif"])
    let score = try Self.score(result.images["nuclei_feature_0.tif"])
    #expect(score.f1 > 0.8, "F1 \(score.f1), \(score.foundCount) found")
    #expect(result.leftovers.isEmpty)
  }

  @Test func `with detection on the image says what it is`() async throws {
    let result = try await Self.run(
      [:], environment: ["SCALE_DETECT_ENABLED": "true", "LABEL_DETECT_ENABLED": "true"])
    #expect(result.status == .done, "\(result)")
    #expect(result.fields["label"] == "0")
    let scale = try #require(result.fields["scale"].flatMap(Double.init))
    #expect((0.7...1.4).contains(scale), "\(scale)")
    let score = try Self.score(result.images["nuclei_batch_0_feature_0.tif"])
    #expect(score.f1 > 0.8, "F1 \(score.f1) at scale \(scale)")
  }
}
