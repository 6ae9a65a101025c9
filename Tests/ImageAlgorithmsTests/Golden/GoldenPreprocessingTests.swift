import Arrays
import ImageAlgorithms
import TestSupport
import Testing

@Suite(.computing) struct GoldenPreprocessingTests {
  @Test(arguments: Golden.cases("histogram_normalization"))
  func `contrast is evened out to the bit`(golden: GoldenCase) throws {
    let kernel = golden.parameters["kernel_size"].integer
    let image = try golden.array("input.npy").floats
    if golden.name == "nan" {
      let error = #expect(throws: ImageError.self) {
        try histogramNormalization(image, kernelSize: kernel)
      }
      #expect(error?.code == .notFinite)
      return
    }
    let result = try histogramNormalization(image, kernelSize: kernel)
    #expect(try result == golden.array("output.npy").floats)
  }

  @Test(arguments: Golden.cases("normalize"))
  func `channels are normalized`(golden: GoldenCase) throws {
    let result = try normalized(golden.array("input.npy").floats)
    let expected = try golden.array("output.npy").floats
    #expect(result.shape == expected.shape)
    #expect(result.isClose(to: expected, absolute: 2e-5, relative: 2e-5))
  }

  @Test(arguments: Golden.cases("resize"))
  func `images and labels are resized`(golden: GoldenCase) throws {
    let size = golden.parameters["shape"].integers
    let input = try golden.array("input.npy")
    let expected = try golden.array("output.npy")
    if golden.parameters["labeled_image"] == .bool(true) {
      let labels = try resizedLabels(input.labels, rows: size[0], columns: size[1])
      #expect(labels == expected.labels)
      return
    }
    var image = try resized(input.floats, rows: size[0], columns: size[1])
    if golden.types["input.npy"] == "uint16" {
      // Cast back to integers; one within rounding of the next may end up beside it.
      image = image.map { $0.rounded(.towardZero) }
      #expect(image.isClose(to: expected.floats, absolute: 1))
    } else if image.shape[3] > 1 {
      #expect(image == expected.floats)
    } else {
      let range = (input.values.max() ?? 0) - (input.values.min() ?? 0)
      #expect(image.isClose(to: expected.floats, absolute: 2e-7 * range, relative: 1e-6))
    }
  }
}
