import Arrays
import ImageAlgorithms
import ModelServing
import Serving

/// A model of the DeepCell names, shapes and types whose work is classical image analysis.
package struct ClassicalModel: Sendable {
  package let name: String
  let version: Int
  package let about: String
  /// Pixels by which the interior begins inside of an object's edge.
  var margin: Float = 1.8
  /// The objects of one tile, `[row, column]`, values 0...1.
  private let objects: @Sendable (NDArray<Float>) throws -> NDArray<Int32>

  package var selection: ModelSelection { ModelSelection(name: name, version: version) }

  static let inputName = "input_0"
  static let outputNames = ["semantic_0", "semantic_1"]
  /// Rows and columns of a tile.
  static let side = 256

  /// What the model takes and gives, as TensorFlow Serving tells it of the DeepCell models.
  var metadata: ModelMetadata {
    let shape = [-1, Self.side, Self.side, 1]
    func tensor(_ graphName: String) -> ModelMetadata.Tensor {
      ModelMetadata.Tensor(graphName: graphName, type: TensorType(.float32), shape: shape)
    }
    let outputs = Self.outputNames.enumerated().map { ($1, tensor("PartitionedCall:\($0)")) }
    return ModelMetadata(
      inputs: [Self.inputName: tensor("serving_default_\(Self.inputName):0")],
      outputs: Dictionary(uniqueKeysWithValues: outputs))
  }

  /// The maps of one tile, in the order of the outputs' names.
  func heads(of tile: NDArray<Float>) throws -> [NDArray<Float>] {
    // Cubes of what is allowed here are finite.
    let finite = tile.map { $0.isFinite ? min(max($0, -1e6), 1e6) : 0 }
    let heads = try ObjectHeads(of: objects(finite), margin: margin)
    return [heads.peaks, heads.interior]
  }

  package static let all = [nuclei, cytoplasm, phase]

  /// Nuclei in fluorescence: bright round objects of 5 to 30 pixels.
  static let nuclei = ClassicalModel(
    name: "NuclearSegmentation", version: 6, about: "bright nuclei on a dark background"
  ) { try ObjectFinder().objects(in: $0) }

  /// Whole cells: larger and less even than nuclei, and close to each other.
  static let cytoplasm = ClassicalModel(
    name: "CytoplasmSegmentation", version: 5, about: "bright whole cells on a darker background"
  ) { try cellFinder.objects(in: $0) }

  /// Cells in phase contrast, where what tells them from the background is texture, not brightness.
  static let phase = ClassicalModel(
    name: "PhaseCytoSegmentation", version: 0, about: "textured cells on an even background",
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
