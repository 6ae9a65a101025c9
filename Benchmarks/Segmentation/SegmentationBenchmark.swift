import Arrays
import Foundation
import ImageAlgorithms
import ImageFiles
import Serving
import TestSupport

/// How well the built-in models find cells and spots and follow nuclei, by all that a job computes and
/// `kiosk-model-server` behind real gRPC: the real image of `Examples/` against labels made by hand, and
/// synthetic samples against what was drawn.
@main
struct SegmentationBenchmark {
  static func main() async throws {
    let server = try await ChildProcess.start(
      BuiltProduct.path("kiosk-model-server"), ["--port", "0"])
    let status = try await server.wait(forOutput: "listening on")
    guard let port = status.standardOutput.split(separator: ":").last.flatMap({ Int($0.trimmed) })
    else { throw TestSupportError("no port in \(status.standardOutput)") }
    var configuration = ServingConfiguration()
    configuration.host = "127.0.0.1"
    configuration.port = port
    let client = ServingClient(configuration)

    let image = try read("nuclei.tif")
    let truth = try read("nuclei-labels.tif").map { Int32($0) }
    print(
      "NuclearSegmentation:6 on Examples/nuclei.tif, a match is an overlap (IoU) of at least 0.5\n")
    for variant in Variant.all {
      let (image, truth) = variant.apply(image, truth)
      let start = ContinuousClock.now
      let labels = try await segment(image, client)
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      let score = DetectionScore(found: labels, truth: truth)
      print(
        "  \(variant.name.padding(toLength: 26, withPad: " ", startingAt: 0))"
          + String(
            format: "F1 %.3f  precision %.3f  recall %.3f  found %d of %d  %.0f ms", score.f1,
            score.precision, score.recall, score.foundCount, score.truthCount, seconds * 1000))
    }
    try await PixelwiseReport(client: client, image: image, truth: truth).print()
    try await DetectionReport(client: client).print(for: image)
    try await TissueReport(client: client).print()
    try await SpotReport(client: client).print()
    try await TrackingReport(client: client).print()
    print("\nOne image in a call of its own, least and median of 100 calls\n")
    for (model, input, side) in [
      ("NuclearSegmentation:6", "input_0", 256), ("CytoplasmSegmentation:5", "input_0", 256),
      ("PhaseCytoSegmentation:0", "input_0", 256), ("Pixelwise:1", "image", 512),
      ("ScaleDetection:1", "input_1", 216), ("LabelDetection:1", "input_1", 216),
    ] {
      let tile = try tile(of: image, side: side, isEqualized: input == "input_0")
      let times = try await times(of: client, ModelName(model), [input: tile])
      print(
        "  \(model) \(side) x \(side)".padding(toLength: 38, withPad: " ", startingAt: 0)
          + String(format: "%.1f ms  %.1f ms", times[0], times[times.count / 2]))
    }
    try await server.stop()
  }

  /// One from the middle, where nothing is mirrored.
  private static func tile(
    of image: NDArray<Float>, side: Int, isEqualized: Bool
  ) throws -> AnyNDArray {
    let batch = image.expandingDimensions(at: 0).expandingDimensions(at: 3)
    if isEqualized {
      let run = try SegmentationApplication.nuclear.start(
        batch, modelShape: [-1, side, side, 1], batchSize: 1)
      return AnyNDArray(try run.batch(run.batchCount / 2))
    }
    let tiling = try Tiling(shape: batch.shape, modelRows: side, modelColumns: side)
    let middle = tiling.count / 2
    return AnyNDArray(try tiling.tiles(middle..<middle + 1, of: batch))
  }

  /// Milliseconds of calls, least first.
  private static func times(
    of client: ServingClient, _ model: ModelName, _ inputs: [String: AnyNDArray]
  ) async throws -> [Double] {
    var times: [Double] = []
    for _ in 0..<100 {
      let start = ContinuousClock.now
      _ = try await client.predict(model: model, inputs: inputs)
      times.append((ContinuousClock.now - start) / .milliseconds(1))
    }
    return times.sorted()
  }

  private static func read(_ name: String) throws -> NDArray<Float> {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Examples")
    return try ImageFile.decode(contentsOf: folder.appending(path: name).path, name: name)
      .pixels.asFloat
  }

  private static func segment(
    _ image: NDArray<Float>, _ client: ServingClient
  ) async throws -> NDArray<Int32> {
    let batch = image.expandingDimensions(at: 0).expandingDimensions(at: 3)
    return try await SegmentationApplication.nuclear.labels(
      of: batch, modelShape: [-1, 256, 256, 1], batchSize: 16
    ) { tiles in
      try await client.predict(
        model: ModelName(name: "NuclearSegmentation", version: 6),
        inputs: ["input_0": AnyNDArray(tiles)]
      ).sorted { $0.key < $1.key }.map(\.value)
    }.slice(0).channel(0)
  }
}

extension Substring {
  fileprivate var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
