import Arrays
import ImageAlgorithms
import TestSupport
import Testing

@Suite(.computing) struct GoldenSegmentationTests {
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

  @Test(arguments: Golden.cases("remove_small_objects"))
  func `small objects are removed`(golden: GoldenCase) throws {
    let labels = try removeSmallObjects(
      golden.array("input.npy").labels,
      minimumArea: try #require(golden.parameters["min_size"].integer))
    #expect(try labels == golden.array("output.npy").labels)
  }

  @Test(arguments: Golden.cases("fill_holes"))
  func `holes are filled`(golden: GoldenCase) throws {
    let labels = try fillHoles(
      golden.array("input.npy").labels,
      maximumArea: try #require(golden.parameters["size"].integer))
    #expect(try labels == golden.array("output.npy").labels)
  }

  @Test(arguments: Golden.cases("relabel_sequential"))
  func `labels are numbered without gaps`(golden: GoldenCase) throws {
    let labels = try relabelSequential(golden.array("input.npy").labels)
    #expect(try labels.labels == golden.array("output.npy").labels)
    #expect(labels.count == Int(labels.labels.elements.max() ?? 0))
  }

  @Test(arguments: Golden.cases("erode_edges"))
  func `edges are eroded`(golden: GoldenCase) throws {
    let labels = try erodeEdges(
      golden.array("input.npy").labels,
      width: try #require(golden.parameters["erosion_width"].integer))
    #expect(try labels == golden.array("output.npy").labels)
  }

  @Test(arguments: Golden.cases("peak_local_max"))
  func `local maxima are found`(golden: GoldenCase) throws {
    let image = try golden.array("input.npy").floats
    let peaks = try localMaxima(
      image, minimumDistance: try #require(golden.parameters["min_distance"].integer),
      threshold: Float(try #require(golden.parameters["threshold_abs"].number)),
      excludesBorder: golden.parameters["exclude_border"] != .bool(false))
    let expected = try golden.array("output.npy").values.map { Int($0) }
    #expect(
      Set(peaks)
        == Set(
          stride(from: 0, to: expected.count, by: 2).map {
            Peak(row: expected[$0], column: expected[$0 + 1])
          }))
    let values = peaks.map { image[$0.row, $0.column] }
    #expect(values == values.sorted(by: >))
  }

  @Test(arguments: Golden.cases("deep_watershed"))
  func `a deep watershed is equal pixel by pixel`(golden: GoldenCase) throws {
    let parameters = DeepWatershedParameters(golden: golden.parameters)
    let maxima = try golden.array("maxima.npy")
    let interior = try golden.array("interior.npy")
    let labels =
      if golden.types["maxima.npy"] == "float64" {
        try deepWatershed(
          maxima: maxima.doubles, interior: interior.doubles, parameters: parameters)
      } else {
        try deepWatershed(maxima: maxima.floats, interior: interior.floats, parameters: parameters)
      }
    #expect(try labels == golden.array("output.npy").labels)
  }
}

extension DeepWatershedParameters {
  /// The parameters of a golden case; what it does not name has its default.
  init(golden: JSON) {
    self.init()
    radius = golden["min_distance"].integer ?? golden["radius"].integer ?? radius
    maximaThreshold = golden["maxima_threshold"].number ?? maximaThreshold
    interiorThreshold = golden["interior_threshold"].number ?? interiorThreshold
    maximaSmooth = golden["maxima_smooth"].number ?? maximaSmooth
    interiorSmooth = golden["interior_smooth"].number ?? interiorSmooth
    smallObjectsThreshold = golden["small_objects_threshold"].integer ?? smallObjectsThreshold
    fillHolesThreshold = golden["fill_holes_threshold"].integer ?? fillHolesThreshold
    labelErosion = golden["label_erosion"].integer ?? labelErosion
    pixelExpansion = golden["pixel_expansion"].integer ?? pixelExpansion
    if golden["maxima_algorithm"].text == "peak_local_max" { maximaAlgorithm = .localMaxima }
  }
}
