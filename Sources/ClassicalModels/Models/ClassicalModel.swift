import Arrays
import ModelServing
import Serving

/// A model of the DeepCell names, shapes and types whose work is classical image analysis.
///
/// A model is its signature and a function of one entry of a batch; reading calls, checking them
/// against the signature, sharing them out to threads and stacking the answers is the same for all.
package struct ClassicalModel: Sendable {
  package let name: String
  let version: Int
  package let about: String
  /// In the order that `analyse` takes them.
  let inputs: [Tensor]
  /// In the order that `analyse` gives them.
  let outputs: [Tensor]
  /// Turns the inputs of one entry of the batch, which are finite, into its outputs.
  private let analyse: @Sendable ([NDArray<Float>]) throws -> [NDArray<Float>]

  init(
    _ name: String, version: Int, about: String, inputs: [Tensor], outputs: [Tensor],
    analyse: @escaping @Sendable ([NDArray<Float>]) throws -> [NDArray<Float>]
  ) {
    self.name = name
    self.version = version
    self.about = about
    self.inputs = inputs
    self.outputs = outputs
    self.analyse = analyse
  }

  package var selection: ModelSelection { ModelSelection(name: name, version: version) }

  /// Whether callers choose how large an input is.
  var takesAnyExtent: Bool { inputs.contains { $0.takesAnyExtent } }

  /// What the model takes and gives, as TensorFlow Serving tells it of the DeepCell models.
  var metadata: ModelMetadata {
    func described(_ tensor: Tensor, _ graphName: String) -> (String, ModelMetadata.Tensor) {
      (
        tensor.name,
        ModelMetadata.Tensor(
          graphName: graphName, type: TensorType(.float32), shape: tensor.shape)
      )
    }
    return ModelMetadata(
      inputs: Dictionary(
        uniqueKeysWithValues: inputs.map { described($0, "serving_default_\($0.name):0") }),
      outputs: Dictionary(
        uniqueKeysWithValues: outputs.enumerated().map { described($1, "PartitionedCall:\($0)") }))
  }

  /// The outputs for one entry of a batch, without the batch's axis.
  ///
  /// - Parameter inputs: likewise; what is not a number counts as 0.
  func answer(_ inputs: [NDArray<Float>]) throws -> [NDArray<Float>] {
    // Cubes of what is allowed here are finite.
    try analyse(inputs.map { $0.map { $0.isFinite ? min(max($0, -1e9), 1e9) : 0 } })
  }

  package static let all = [
    nuclei, cytoplasm, phase, multiplex, spots, trackingEncoder, trackingInference, pixelwise,
    scale,
    label,
  ]
}
