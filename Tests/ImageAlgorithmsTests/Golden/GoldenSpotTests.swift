import Arrays
import ImageAlgorithms
import TestSupport
import Testing

@Suite(.computing) struct GoldenSpotTests {
  @Test(arguments: Golden.cases("min_max_normalize"))
  func `images are brought to the range of the reference`(golden: GoldenCase) throws {
    let result = try minMaxNormalized(
      golden.array("input.npy").floats, clips: golden.parameters["clip"] == .bool(true))
    #expect(
      try result.isClose(to: golden.array("output.npy").floats, absolute: 2e-7, relative: 2e-7))
  }

  @Test(arguments: Golden.cases("y_annotations_to_point_list_max"))
  func `spots are where the reference finds them`(golden: GoldenCase) throws {
    let spots = try spotCoordinates(
      scores: golden.array("classification.npy").floats.slice(0).channel(1),
      offsets: golden.array("offset_regression.npy").floats.slice(0),
      threshold: try #require(golden.parameters["threshold"].number),
      minimumDistance: try #require(golden.parameters["min_distance"].integer))
    let expected = try golden.array("output.npy").doubles
    if expected.count == 0 {
      // The reference answers the shape (0,), with which nothing can be done.
      #expect(spots.shape == [0, 2])
    } else {
      #expect(
        spots.agree(with: expected, within: 1e-12, inOrder: golden.name != "border_and_plateau"))
    }
  }

  @Test(arguments: Golden.cases("spot_detection_app"))
  func `spot detection with recorded answers finds the spots of the reference`(
    golden: GoldenCase
  ) throws {
    #expect(golden.parameters["output_names"].list.map(\.text) == SpotApplication.outputs)
    var application = SpotApplication()
    application.clips = golden.parameters["clip"] == .bool(true)
    application.threshold = try #require(golden.parameters["threshold"].number)
    var run = try application.start(
      golden.array("input.npy").floats, modelShape: golden.modelShape, batchSize: golden.batchSize)
    let sent = try golden.replay(on: &run)
    #expect(
      try sent.isClose(
        to: golden.array("model_input.npy").floats, absolute: 2e-7, relative: 2e-7))
    let spots = try run.spots()
    #expect(spots.count == 2)
    for (index, spots) in spots.enumerated() {
      let expected = try golden.array("coords_\(index).npy").doubles
      #expect(spots.agree(with: expected, within: 1e-6, inOrder: true))
    }
  }

  @Test(arguments: Golden.cases("match_spots_to_cells"))
  func `spots are in the cells of the reference`(golden: GoldenCase) throws {
    let spots = try golden.array("coords.npy").doubles
    let labels = try golden.array("labels.npy").labels.slice(0).channel(0)
    let found = try cells(ofSpots: spots, in: labels)
    #expect(try found == golden.array("assignment.npy").labels.elements)

    // The same as lists of spots by cell.
    for (cell, list) in golden.values["dict"].members {
      let own = found.indices.filter { found[$0] == Int32(cell) }
      #expect(
        own.map { spots.slice($0).elements } == list.list.map { $0.list.compactMap(\.number) })
    }
    #expect(
      golden.values["dict"] == .null
        || golden.values["dict"].members.count == Set(found).count)
  }
}

extension NDArray<Double> {
  /// Whether two lists of rows are the same; rows in any order unless `inOrder`.
  fileprivate func agree(
    with expected: NDArray<Double>, within tolerance: Double, inOrder: Bool
  ) -> Bool {
    func rows(_ array: NDArray<Double>) -> [[Double]] {
      let rows = (0..<array.shape[0]).map { array.slice($0).elements }
      return inOrder ? rows : rows.sorted { $0.lexicographicallyPrecedes($1) }
    }
    return shape == expected.shape
      && zip(rows(self), rows(expected)).allSatisfy {
        zip($0, $1).allSatisfy { abs($0 - $1) <= tolerance }
      }
  }
}
