import Arrays
import ImageAlgorithms
import Testing

@Suite struct GoldenPreprocessingTests {
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
}
