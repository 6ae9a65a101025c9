import Arrays
import ImageAlgorithms
import Testing

@Suite struct GoldenSegmentationTests {
  @Test(arguments: Golden.cases("gaussian_kernel"))
  func `the weights of a Gaussian are those of the reference`(golden: GoldenCase) throws {
    let sigma = try #require(golden.parameters["sigma"].number)
    let half = gaussianHalfKernel(sigma: sigma)
    #expect(half.count - 1 == golden.parameters["radius"].integer)
    let full = Array(half.dropFirst().reversed() + half)
    #expect(full == golden.parameters["hex"].list.compactMap { Double($0.text) })
  }

  @Test(arguments: Golden.cases("gaussian_filter"))
  func `a Gaussian gives the bits of the reference`(golden: GoldenCase) throws {
    let sigma = try #require(golden.parameters["sigma"].number)
    let input = try golden.array("input.npy")
    let output = try golden.array("output.npy")
    if golden.types["input.npy"] == "float64" {
      #expect(try gaussian(input.doubles, sigma: sigma) == output.doubles)
    } else {
      #expect(try gaussian(input.floats, sigma: sigma) == output.floats)
    }
  }

  @Test(arguments: Golden.cases("h_maxima"))
  func `tops are found pixel by pixel`(golden: GoldenCase) throws {
    let tops = try hMaxima(
      golden.array("input.npy").floats, h: try #require(golden.parameters["h"].number),
      radius: try #require(golden.parameters["radius"].integer))
    #expect(try tops == golden.array("output.npy").mask)
  }

  @Test(arguments: Golden.cases("label"))
  func `components are numbered as in the reference`(golden: GoldenCase) throws {
    let components = try connectedComponents(
      golden.array("input.npy").mask,
      connectivity: golden.parameters["connectivity"].integer == 2 ? .eight : .four)
    let expected = try golden.array("output.npy").labels
    #expect(components.labels == expected)
    #expect(components.count == Int(expected.elements.max() ?? 0))
  }

  @Test(arguments: Golden.cases("watershed"))
  func `a watershed is equal pixel by pixel`(golden: GoldenCase) throws {
    let labels = try watershed(
      descending: golden.array("image.npy").floats.map { -$0 },
      markers: golden.array("markers.npy").labels, mask: golden.array("mask.npy").mask)
    #expect(try labels == golden.array("output.npy").labels)
  }
}
