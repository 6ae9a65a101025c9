import Arrays
import Foundation
import ImageAlgorithms
import Samples
import Serving
import TestSupport

/// How well MultiplexSegmentation:9 finds whole cells and nuclei of synthetic tissues.
struct TissueReport {
  let client: ServingClient

  func print() async throws {
    Swift.print(
      "\nMultiplexSegmentation:9 on synthetic tissues of 512 x 512, F1 at IoU 0.5 and 0.6\n")
    let client = client
    let application = MesmerApplication(postprocessing: MesmerPostprocessing(compartment: .both))
    for seed in 0..<3 {
      let tissue = try TissueSample(seed: seed, side: 512)
      let image = NDArray<Float>(
        shape: [1, 512, 512, 2],
        elements: zip(tissue.nuclearImage.elements, tissue.membraneImage.elements)
          .flatMap { [$0, $1] })
      let start = ContinuousClock.now
      let labels = try await application.labels(
        of: image, modelShape: [-1, 256, 256, 2], batchSize: 8
      ) { tiles in
        try await client.predict(
          model: ModelName("MultiplexSegmentation:9"), inputs: ["input_0": AnyNDArray(tiles)]
        ).sorted { $0.key < $1.key }.map(\.value)
      }.slice(0)
      let milliseconds = (ContinuousClock.now - start) / .milliseconds(1)
      let scores = [tissue.cells, tissue.nuclei].enumerated().map { channel, truth in
        [0.5, 0.6].map {
          DetectionScore(found: labels.channel(channel), truth: truth, overlap: $0)
        }
      }
      Swift.print(
        String(
          format: "  tissue %d  cells %.3f %.3f  nuclei %.3f %.3f  found %d of %d  %.0f ms", seed,
          scores[0][0].f1, scores[0][1].f1, scores[1][0].f1, scores[1][1].f1,
          scores[0][0].foundCount, scores[0][0].truthCount, milliseconds))
    }
  }
}
