import Arrays
import Foundation
import ImageAlgorithms
import ImageFiles
import Serving
import TestSupport

/// How well Pixelwise:1 finds nuclei, and whether pieces of an image get what the whole gets.
struct PixelwiseReport {
  let client: ServingClient
  let image: NDArray<Float>
  let truth: NDArray<Int32>

  private static let field = 61

  func print() async throws {
    Swift.print("\nPixelwise:1 on the whole image, interior over 0.8 and grown to its edge\n")
    for variant in Variant.all {
      let (image, truth) = variant.apply(image, truth)
      let start = ContinuousClock.now
      let classes = try await classes(of: image)
      let milliseconds = (ContinuousClock.now - start) / .milliseconds(1)
      let score = DetectionScore(found: try labels(classes), truth: truth)
      Swift.print(
        "  \(variant.name.padding(toLength: 26, withPad: " ", startingAt: 0))"
          + String(
            format: "F1 %.3f  precision %.3f  recall %.3f  found %d of %d  %.0f ms", score.f1,
            score.precision, score.recall, score.foundCount, score.truthCount, milliseconds))
    }
    let whole = try await classes(of: image)
    for cuts in [2, 4] {
      let (differing, score) = try await compare(whole, cuts)
      Swift.print(
        String(
          format:
            "  in %d x %d pieces: %.2f %% of the pixels in another class, F1 to the whole %.3f",
          cuts, cuts, differing * 100, score.f1))
    }
  }

  /// `[row, column, class]`
  private func classes(of image: NDArray<Float>) async throws -> NDArray<Float> {
    let batch = image.expandingDimensions(at: 0).expandingDimensions(at: 3)
    let outputs = try await client.predict(
      model: ModelName("Pixelwise:1"), inputs: ["image": AnyNDArray(batch)])
    guard let classes = outputs["prediction"] else { throw TestSupportError("no prediction") }
    return classes.asFloat.slice(0)
  }

  private func labels(_ classes: NDArray<Float>) throws -> NDArray<Int32> {
    let blobs = try removeSmallObjects(
      connectedComponents(classes.channel(1).map { $0 > 0.8 }, connectivity: .four).labels,
      minimumArea: 50)
    let mask = classes.channel(1).map { $0 > 0.5 }
    return try watershed(descending: classes.channel(1), markers: blobs, mask: mask)
  }

  /// Pieces with margins as jobs with `cuts` send them.
  private func compare(
    _ whole: NDArray<Float>, _ cuts: Int
  ) async throws -> (differing: Double, score: DetectionScore) {
    let margin = (Self.field - 1) / 2
    let (rows, columns) = (image.shape[0], image.shape[1])
    let (height, width) = (rows / cuts, columns / cuts)
    var joined = NDArray<Float>(shape: [rows, columns, 3])
    func mirrored(_ i: Int, _ count: Int) -> Int {
      i < 0 ? -i : i >= count ? 2 * count - 2 - i : i
    }
    for piece in 0..<cuts * cuts {
      let (top, left) = (piece / cuts * height, piece % cuts * width)
      let side = [height + 2 * margin, width + 2 * margin]
      let part = NDArray<Float>(uninitialized: side) { output in
        image.withUnsafeBuffer { pixels in
          for i in output.indices {
            output[i] =
              pixels[
                mirrored(top - margin + i / side[1], rows) * columns
                  + mirrored(left - margin + i % side[1], columns)]
          }
        }
      }
      let answer = try await classes(of: part)
      joined.withUnsafeMutableBuffer { joined in
        answer.withUnsafeBuffer { answer in
          for row in 0..<height {
            let from = ((row + margin) * side[1] + margin) * 3
            _ = joined[(((top + row) * columns + left) * 3)...].update(
              fromContentsOf: answer[from..<from + width * 3])
          }
        }
      }
    }
    let differing = zip(try argmax(whole, axis: 2).elements, try argmax(joined, axis: 2).elements)
      .count { $0 != $1 }
    return (
      Double(differing) / Double(rows * columns),
      DetectionScore(found: try labels(joined), truth: try labels(whole))
    )
  }
}
