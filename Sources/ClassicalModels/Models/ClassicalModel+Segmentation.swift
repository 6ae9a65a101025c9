import Arrays
import ImageAlgorithms

/// The models of segmentation jobs: tiles in equalised brightness, and the two maps that a deep
/// watershed starts from.
extension ClassicalModel {
  /// Nuclei in fluorescence: bright round objects of 5 to 30 pixels.
  static let nuclei = segmentation(
    "NuclearSegmentation", version: 6, about: "bright nuclei on a dark background"
  ) { try ObjectFinder().objects(in: $0) }

  /// Whole cells: larger and less even than nuclei, and close to each other.
  static let cytoplasm = segmentation(
    "CytoplasmSegmentation", version: 5, about: "bright whole cells on a darker background"
  ) { try cellFinder.objects(in: $0) }

  /// Cells in phase contrast, where what tells them from the background is texture, not brightness.
  static let phase = segmentation(
    "PhaseCytoSegmentation", version: 0, about: "textured cells on an even background",
    margin: 2.8  // the windows of the texture reach over the edge of a cell
  ) { tile in
    let smooth = try gaussian(tile, sigma: 1)
    let mean = LocalFilters.mean(smooth, size: 7)
    let meanOfSquares = LocalFilters.mean(smooth.map { $0 * $0 }, size: 7)
    // Times 4, since the deviation is that much less than the range it lies in.
    let texture = combined(meanOfSquares, mean) { 4 * max($0 - $1 * $1, 0).squareRoot() }
    var finder = cellFinder
    finder.smoothing = 1.5
    finder.heightShare = 0.6
    return try finder.objects(in: texture)
  }

  /// - Parameters:
  ///   - margin: pixels by which the interior begins inside of an object's edge.
  ///   - objects: those of one tile, `[row, column]`, values 0...1.
  private static func segmentation(
    _ name: String, version: Int, about: String, margin: Float = 1.8,
    objects: @escaping @Sendable (NDArray<Float>) throws -> NDArray<Int32>
  ) -> ClassicalModel {
    let extents: [Extent] = [256, 256, 1]
    return ClassicalModel(
      name, version: version, about: about,
      inputs: [Tensor(name: "input_0", extents: extents)],
      outputs: ["semantic_0", "semantic_1"].map { Tensor(name: $0, extents: extents) }
    ) { inputs in
      let heads = try ObjectHeads(of: objects(inputs[0].channel(0)), margin: margin)
      return [heads.peaks, heads.interior].map { $0.expandingDimensions(at: 2) }
    }
  }

  private static var cellFinder: ObjectFinder {
    var finder = ObjectFinder()
    finder.smoothing = 2
    finder.backgroundWindow = 41
    finder.heightWindow = 41
    finder.heightShare = 0.5
    finder.blobSize = 8
    finder.blobWeight = 8
    finder.farDistance = 25
    finder.landscapeSmoothing = 1.5
    finder.prominence = 1.2
    finder.leastArea = 100
    finder.greatestHole = 600
    return finder
  }
}
