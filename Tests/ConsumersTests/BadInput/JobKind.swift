import Arrays
import Consumers
import Foundation
import ImageAlgorithms
import ImageFiles
import ModelServing
import Serving
import TestSupport

/// A built-in consumer, with a job that it does well.
struct JobKind: Sendable {
  /// Its name in the registry.
  let type: String
  /// The model that the job is given.
  let model: String
  /// Fields of the job that select it.
  var fields: [String: String] = [:]
  /// The image.
  let image: NDArray<Float>
  /// The files of the job's result that can be told beforehand, without what precedes `good`.
  let results: @Sendable () async throws -> [String: NDArray<Float>]
  /// Other files that the result has.
  var pictures: [String] = []

  static let models = BrightModels(side: 32)

  /// A cytoplasm job, so that jobs on nuclei can be told from it.
  static let image = JobKind(
    type: "image", model: "PhaseCytoSegmentation", fields: ["channels": ",,0"],
    image: TestImage.cells
  ) {
    let image = TestImage.cells.expandingDimensions(at: 0).expandingDimensions(at: 3)
    let labels = try await SegmentationApplication.cytoplasm.labels(
      of: image, modelShape: models.shape(of: "PhaseCytoSegmentation"), batchSize: 4
    ) { heads(of: $0, by: "PhaseCytoSegmentation") }
    return ["good_batch_0_feature_0.tif": labels.asFloat]
  }

  static let mesmer = JobKind(
    type: "mesmer", model: "MultiplexSegmentation", image: TestImage.pair
  ) {
    let image = TestImage.pair.movingAxis(0, to: 2).expandingDimensions(at: 0)
    let labels = try await MesmerApplication().labels(
      of: image, modelShape: models.shape(of: "MultiplexSegmentation"), batchSize: 4
    ) { heads(of: $0, by: "MultiplexSegmentation") }
    return ["good_feature_0.tif": labels.asFloat]
  }

  static let spot = JobKind(
    type: "spot", model: "SpotDetection", image: TestImage.cells,
    results: {
      let image = TestImage.cells.expandingDimensions(at: 0).expandingDimensions(at: 3)
      var run = try SpotApplication().start(
        image, modelShape: models.shape(of: "SpotDetection"), batchSize: 4)
      for index in 0..<run.batchCount {
        try run.accept(heads(of: run.batch(index), by: "SpotDetection"))
      }
      return ["good_0.npy": AnyNDArray(try run.spots()[0]).asFloat]
    }, pictures: ["good_0.tif"])

  static let all = [image, mesmer, spot]

  private static func heads(of tiles: NDArray<Float>, by name: String) -> [AnyNDArray] {
    BrightModels.heads(of: tiles, by: name).sorted { $0.key < $1.key }.map(\.value)
  }

  var tiff: [UInt8] { get throws { try TestImage.tiff(image) } }
}
