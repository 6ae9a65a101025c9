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
}
