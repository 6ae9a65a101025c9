import Arrays
import ImageAlgorithms
import TestSupport
import Testing

@Suite(.computing) struct GoldenMesmerTests {
  @Test(arguments: Golden.cases("percentile_threshold"))
  func `bright pixels are cut off where the reference does`(golden: GoldenCase) throws {
    var result = try percentileThreshold(
      golden.array("input.npy").floats, percentile: golden.parameters["percentile"].number ?? 99.9)
    // The reference writes the limit into the image it was given, of whatever type.
    if golden.types["input.npy"] == "uint16" { result = result.map { $0.rounded(.towardZero) } }
    let expected = try golden.array("output.npy").floats
    #expect(result.isClose(to: expected, absolute: 0))
  }

  @Test(arguments: Golden.cases("mesmer_preprocess"))
  func `images are prepared for Mesmer to the bit`(golden: GoldenCase) throws {
    let image = try golden.array("input.npy").floats
    let expected = try golden.array("output.npy").floats
    if golden.types["input.npy"] == "uint16" {
      let limited = try percentileThreshold(image).map { $0.rounded(.towardZero) }
      #expect(try histogramNormalization(limited, kernelSize: 128) == expected)
    } else {
      #expect(try mesmerPreprocessed(image) == expected)
    }
  }

  @Test(arguments: Golden.cases("mesmer_postprocess"))
  func `Mesmer's answers become the labels of the reference`(golden: GoldenCase) throws {
    let compartment = MesmerPostprocessing.Compartment(
      rawValue: golden.parameters["compartment"].text)
    let postprocessing = MesmerPostprocessing(
      compartment: try #require(compartment),
      wholeCell: DeepWatershedParameters(golden: golden.parameters["whole_cell_kwargs"]),
      nuclear: DeepWatershedParameters(golden: golden.parameters["nuclear_kwargs"]))
    // Outputs that are not looked at are not recorded.
    let heads = try (0..<4).map { index in
      golden.types["head\(index).npy"] == nil
        ? NDArray<Float>(shape: [0]) : try golden.array("head\(index).npy").floats
    }
    let expected = try golden.array("output.npy").labels
    #expect(try postprocessing.labels(heads) == expected)
    #expect(postprocessing.wholeCell == .mesmerWholeCell)
    #expect(postprocessing.nuclear == .mesmerNuclear)
  }
}
