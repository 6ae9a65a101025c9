import Arrays
import Foundation
import ImageAlgorithms
import Serving

/// What the models that look at raw pixels say of an image at several sizes.
struct DetectionReport {
  let client: ServingClient

  func print(for image: NDArray<Float>) async throws {
    Swift.print(
      "\nScaleDetection:1 and LabelDetection:1 on the image resized; ideal is a scale of 1 / factor\n"
    )
    var reference: Double?
    for factor in [1.0, 0.25, 0.5, 0.75, 1.5, 2] {
      let batch = image.expandingDimensions(at: 0).expandingDimensions(at: 3)
      let resized = try resized(
        batch, rows: Int(Double(image.shape[0]) * factor),
        columns: Int(Double(image.shape[1]) * factor))
      let tiles = try Tiling(
        shape: resized.shape, modelRows: 216, modelColumns: 216, edge: .zero)
      let input = AnyNDArray(try tiles.tiles(0..<tiles.count, of: resized))
      let start = ContinuousClock.now
      let scales = try await answer("ScaleDetection:1", input).elements.map(Double.init)
      let milliseconds = (ContinuousClock.now - start) / .milliseconds(1)
      let scale = scales.reduce(0, +) / Double(scales.count)
      let labels = try await answer("LabelDetection:1", input).elements
      let scores = (0..<3).map { label in
        stride(from: label, to: labels.count, by: 3).reduce(0) { $0 + labels[$1] }
          / Float(scales.count)
      }
      reference = reference ?? scale
      Swift.print(
        "  x \(factor)".padding(toLength: 10, withPad: " ", startingAt: 0)
          + String(
            format: "scale %.2f  x factor / scale of the original %.2f  label %.2f %.2f %.2f  "
              + "%d tiles %.0f ms", scale, scale * factor / (reference ?? 1), scores[0], scores[1],
            scores[2], scales.count, milliseconds))
    }
  }

  private func answer(_ model: String, _ input: AnyNDArray) async throws -> NDArray<Float> {
    let outputs = try await client.predict(model: ModelName(model), inputs: ["input_1": input])
    return outputs.values.first?.asFloat ?? NDArray(shape: [0])
  }
}
