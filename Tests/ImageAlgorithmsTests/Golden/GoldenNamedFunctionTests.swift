import Arrays
import ImageAlgorithms
import TestSupport
import Testing

@Suite(.computing) struct GoldenNamedFunctionTests {
  /// A recorded model output as a batch of one.
  private func scores(_ golden: GoldenCase) throws -> NDArray<Float> {
    let array = try golden.array("input.npy").floats
    return array.rank == 4 ? array : array.expandingDimensions(at: 0)
  }

  private func labels(_ golden: GoldenCase) throws -> NDArray<Int32> {
    let array = try golden.array("output.npy").labels
    return array.rank == 4 ? array : array.expandingDimensions(at: 0)
  }

  @Test(arguments: Golden.cases("legacy_pixelwise"))
  func `interiors are labelled as in the reference`(golden: GoldenCase) throws {
    let result = try pixelwiseSegmentation(
      scores(golden), threshold: Float(try #require(golden.parameters["threshold"].number)),
      minimumArea: try #require(golden.parameters["min_size"].integer))
    #expect(try result == labels(golden))
  }

  @Test(arguments: Golden.cases("legacy_mibi"))
  func `cells are grown into their edges as in the reference`(golden: GoldenCase) throws {
    let result = try interiorEdgeSegmentation(
      scores(golden),
      edgeThreshold: Float(try #require(golden.parameters["edge_threshold"].number)),
      interiorThreshold: Float(try #require(golden.parameters["interior_threshold"].number)))
    #expect(try result == labels(golden))
  }

  @Test(arguments: Golden.cases("legacy_watershed"))
  func `distance bins are flooded as in the reference`(golden: GoldenCase) throws {
    let result = try distanceBinWatershed(
      scores(golden),
      minimumDistance: try #require(golden.parameters["min_distance"].integer),
      threshold: Float(try #require(golden.parameters["threshold_abs"].number)),
      minimumArea: try #require(golden.parameters["min_size"].integer))
    #expect(try result == labels(golden))
  }
}
