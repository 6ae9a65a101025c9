import Arrays
import ImageAlgorithms
import TestSupport
import Testing

@Suite(.computing) struct NamedFunctionTests {
  @Test(arguments: ["", ",", " , ,", "none", " none ,"])
  func `a list without a name means nothing is done`(list: String) throws {
    #expect(try NamedPreprocessing(list: list) == .none)
    #expect(try NamedPostprocessing(list: list) == .none)
  }

  @Test func `every function is found by its name, with commas and blanks around it`() throws {
    for function in NamedPreprocessing.allCases {
      #expect(try NamedPreprocessing(list: ", \(function.rawValue),") == function)
    }
    for function in NamedPostprocessing.allCases {
      #expect(try NamedPostprocessing(list: "\(function.rawValue) ,,") == function)
    }
  }

  @Test(arguments: ["normalise", "Normalize", "watershed", "retinanet"])
  func `an unknown pre-processing function is refused, and the known ones are listed`(
    name: String
  ) {
    let error = #expect(throws: ImageError.self) { try NamedPreprocessing(list: name) }
    #expect(error?.code == .invalidParameter)
    #expect(error?.reason.hasPrefix("\"\(name)\" is not a valid pre-processing function") == true)
    for function in NamedPreprocessing.allCases {
      #expect(error?.reason.contains(function.rawValue) == true)
    }
  }

  @Test func `an unknown post-processing function is refused, and the known ones are listed`() {
    let error = #expect(throws: ImageError.self) { try NamedPostprocessing(list: "mibbi") }
    #expect(
      error?.reason
        == "\"mibbi\" is not a valid post-processing function; choose one of: none, deepcell, "
        + "pixelwise, mibi, watershed, deep_watershed, multiplex_postprocess_consumer")
    for function in NamedPostprocessing.allCases {
      #expect(error?.reason.contains(function.rawValue) == true)
    }
  }

  @Test(arguments: ["retinanet", "retinanet-semantic"])
  func `functions for models with boxes are refused as not supported`(name: String) {
    let error = #expect(throws: ImageError.self) { try NamedPostprocessing(list: name) }
    #expect(error?.reason.contains("\"\(name)\" is not supported") == true)
  }

  @Test(arguments: ["normalize,histogram_normalization", "none,normalize", "normalize, normalize"])
  func `more than one function is refused`(list: String) {
    let error = #expect(throws: ImageError.self) { try NamedPreprocessing(list: list) }
    #expect(error?.reason.contains("one pre-processing function") == true)
  }

  @Test func `pre-processing keeps the shape`() throws {
    let image = NDArray<Float>(
      shape: [2, 9, 7, 2], elements: (0..<252).map { Float($0 * $0 % 41) })
    #expect(try NamedPreprocessing.none.apply(to: image) == image)
    #expect(try NamedPreprocessing.normalize.apply(to: image) == normalized(image))
    #expect(
      try NamedPreprocessing.histogramNormalization.apply(to: image)
        == histogramNormalization(image))
    #expect(
      try NamedPreprocessing.multiplexPreprocess.apply(to: image)
        == histogramNormalization(percentileThreshold(image), kernelSize: 128))
  }

  @Test(arguments: NamedPreprocessing.allCases)
  func `images of another rank are refused before the model is asked`(
    function: NamedPreprocessing
  ) {
    #expect(throws: ImageError.self) { try function.apply(to: NDArray(shape: [9, 7, 2])) }
  }

  @Test(arguments: [NamedPreprocessing.normalize, .histogramNormalization, .multiplexPreprocess])
  func `images that are not finite are not prepared`(function: NamedPreprocessing) {
    var image = NDArray<Float>(shape: [1, 5, 5, 1], elements: (0..<25).map(Float.init))
    image[0, 2, 2, 0] = .nan
    let error = #expect(throws: ImageError.self) { try function.apply(to: image) }
    #expect(error?.code == .notFinite)
  }

  @Test func `without a function the outputs are put side by side`() throws {
    let a = NDArray<Float>(shape: [1, 1, 2, 1], elements: [1, 2])
    let b = NDArray<Float>(shape: [1, 1, 2, 2], elements: [3, .nan, 5, 6])
    guard case .maps(let maps) = try NamedPostprocessing.none.apply(to: [a, b]) else {
      Issue.record("the outputs became labels")
      return
    }
    #expect(maps.shape == [1, 1, 2, 3])
    #expect(
      maps.isClose(
        to: NDArray(shape: [1, 1, 2, 3], elements: [1, 3, .nan, 2, 5, 6]), absolute: 0))
    #expect(try NamedPostprocessing.none.apply(to: [a]) == .maps(a))
  }

  @Test(arguments: NamedPostprocessing.allCases)
  func `outputs that cannot be labelled are refused by shape`(function: NamedPostprocessing) {
    let heads = [1, 0, 2, 3, 5].map {
      Array(repeating: NDArray<Float>(shape: [2, 8, 8, 1]), count: $0)
    }
    for heads in heads {
      // These two do with one channel.
      if function == .none, !heads.isEmpty { continue }
      if function == .deepWatershed, heads.count > 1 { continue }
      let error = #expect(throws: ImageError.self) { try function.apply(to: heads) }
      #expect(error?.code == .unexpectedModelOutput)
    }
    for shape in [[], [8], [8, 8, 3], [1, 1, 8, 8, 3]] {
      let count = function == .multiplexPostprocessConsumer ? 4 : function == .deepWatershed ? 2 : 1
      let error = #expect(throws: ImageError.self) {
        try function.apply(to: Array(repeating: NDArray(shape: shape), count: count))
      }
      #expect(error?.reason.contains(shape.tupleDescription) == true)
    }
  }

  @Test(arguments: NamedPostprocessing.allCases.filter { $0 != .none }, [Float.nan, .infinity])
  func `outputs that are not finite are not labelled`(
    function: NamedPostprocessing, value: Float
  ) {
    let head = NDArray<Float>(shape: [2, 6, 6, 2], repeating: value)
    let count = function == .multiplexPostprocessConsumer ? 4 : function == .deepWatershed ? 2 : 1
    let error = #expect(throws: ImageError.self) {
      try function.apply(to: Array(repeating: head, count: count))
    }
    #expect(error?.code == .notFinite)
  }

  @Test(
    arguments: NamedPostprocessing.allCases.filter { $0 != .none },
    [
      [0, 6, 6, 2], [1, 0, 6, 2], [1, 6, 0, 2], [1, 1, 1, 2], [2, 1, 70, 3], [1, 70, 1, 2],
    ])
  func `small and empty outputs have labels of their size`(
    function: NamedPostprocessing, shape: Shape
  ) throws {
    let head = NDArray<Float>(shape: shape, repeating: 0.9)
    let count = function == .multiplexPostprocessConsumer ? 4 : function == .deepWatershed ? 2 : 1
    let result = try function.apply(to: Array(repeating: head, count: count))
    #expect(result.shape == shape.dropLast() + [1])
  }

  @Test func `pixelwise and deepcell are the same, each image by itself`() throws {
    // A region in each image, the second of them too small.
    var scores = NDArray<Float>(shape: [2, 20, 20, 3])
    for y in 2..<12 { for x in 2..<10 { scores[0, y, x, 1] = 0.9 } }
    for y in 2..<9 { for x in 2..<9 { scores[1, y, x, 1] = 0.9 } }
    guard case .labels(let labels) = try NamedPostprocessing.pixelwise.apply(to: [scores]) else {
      Issue.record("the outputs did not become labels")
      return
    }
    #expect(try NamedPostprocessing.deepcell.apply(to: [scores]) == .labels(labels))
    #expect(labels.slice(0).elements.count { $0 == 1 } == 80)
    #expect(labels.slice(1).elements.allSatisfy { $0 == 0 })
  }

  @Test func `deep watershed takes its seeds from peaks and does not smooth`() throws {
    // Two peaks on one plateau of the interior; one pixel beside it that smoothing would join.
    var maxima = NDArray<Float>(shape: [1, 30, 50, 1])
    var interior = NDArray<Float>(shape: [1, 30, 50, 1])
    maxima[0, 15, 10, 0] = 0.5
    maxima[0, 15, 40, 0] = 0.11
    maxima[0, 15, 25, 0] = 0.1
    for y in 10..<20 { for x in 5..<45 { interior[0, y, x, 0] = 0.02 } }
    guard
      case .labels(let labels) = try NamedPostprocessing.deepWatershed.apply(
        to: [maxima, maxima, interior])
    else {
      Issue.record("the outputs did not become labels")
      return
    }
    #expect(Set(labels.elements) == [0, 1, 2])
    #expect(labels.elements.count { $0 != 0 } == 400)
    #expect(labels[0, 15, 10, 0] == 1 && labels[0, 15, 40, 0] == 2)
  }
}
