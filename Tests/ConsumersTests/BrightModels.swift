import Arrays
import ModelServing
import Serving

/// All default models of one size, whose answers are made of the image where it is bright. With outputs
/// of the number and the names of the real ones.
struct BrightModels: Sendable {
  /// Rows and columns of a tile.
  let side: Int

  private struct Model: Sendable {
    let version: Int
    var channels = 1
    /// From the bright parts of each channel, `[tile, row, column, channel]`.
    let answer: @Sendable (NDArray<Float>) -> [String: NDArray<Float>]
  }

  private static let models: [String: Model] = [
    "NuclearSegmentation": Model(version: 6, answer: twoHeads),
    "CytoplasmSegmentation": Model(version: 5, answer: twoHeads),
    "PhaseCytoSegmentation": Model(version: 0, answer: twoHeads),
    "MultiplexSegmentation": Model(version: 9, channels: 2) { bright in
      let (nuclei, cells) = (bright.channel(0), bright.channel(1))
      return [
        "semantic_0": joined([cells]), "semantic_1": joined([none(of: cells), cells, cells]),
        "semantic_2": joined([nuclei]), "semantic_3": joined([none(of: nuclei), nuclei, nuclei]),
      ]
    },
    "SpotDetection": Model(version: 3) { bright in
      let spots = bright.channel(0)
      return [
        "classification": joined([spots.map { 1 - $0 }, spots]),
        "offset_regression": joined([spots.map { _ in 0.25 }, spots.map { _ in -0.5 }]),
      ]
    },
  ]

  @Sendable private static func twoHeads(_ bright: NDArray<Float>) -> [String: NDArray<Float>] {
    ["semantic": bright, "semantic_1": bright]
  }

  /// What a model answers.
  static func heads(of image: NDArray<Float>, by name: String) -> [String: AnyNDArray] {
    let bright = image.map { $0 > 0.6 ? $0 : 0 }
    return (models[name]?.answer(bright) ?? [:]).mapValues(AnyNDArray.init)
  }

  /// The names of a model's outputs.
  static func outputs(of name: String) -> [String] {
    let channels = models[name]?.channels ?? 1
    return heads(of: NDArray(shape: [1, 1, 1, channels]), by: name).keys.sorted()
  }

  func shape(of name: String) -> Shape { [-1, side, side, Self.models[name]?.channels ?? 1] }

  func tensor(of name: String) -> ModelMetadata.Tensor {
    ModelMetadata.Tensor(
      graphName: "serving_default_input_0:0", type: TensorType(.float32), shape: shape(of: name))
  }

  func answer(_ request: ModelServerCall.Request) -> ModelServerReply {
    switch request {
    case .metadata(let model):
      guard let version = Self.models[model.name]?.version, model.version ?? version == version
      else {
        return .failure(.notFound, "Servable not found for request: Specific(\(model))")
      }
      let image = tensor(of: model.name)
      return .metadata(
        ModelMetadata(inputs: ["input_0": image], outputs: ["semantic": image]),
        model: ModelSelection(name: model.name, version: version))
    case .predict(let call):
      guard let image = call.inputs["input_0"]?.typed(as: Float.self) else {
        return .failure(.invalidArgument, "input_0 is missing")
      }
      return .outputs(
        Self.heads(of: image, by: call.model.name), model: call.model, encoding: .typed)
    default: return .failure(.unimplemented, "not here")
    }
  }

  /// Serves them in this process, behind real gRPC.
  func serve() throws -> (host: ModelServerHost, client: ServingClient) {
    let host = try ModelServerHost(address: "127.0.0.1", port: 0) { answer($0.request) }
    return (host, Self.client(of: host))
  }

  static func client(of host: ModelServerHost) -> ServingClient {
    var configuration = ServingConfiguration()
    configuration.host = "127.0.0.1"
    configuration.port = host.port
    configuration.waitTimeout = .seconds(20)
    return ServingClient(configuration)
  }
}

/// `[...]` each as `[..., array]`.
func joined(_ planes: [NDArray<Float>]) -> NDArray<Float> {
  let values = planes.map(\.elements)
  return NDArray(
    shape: planes[0].shape + [planes.count],
    elements: values[0].indices.flatMap { i in values.map { $0[i] } })
}

private func none(of plane: NDArray<Float>) -> NDArray<Float> { NDArray(shape: plane.shape) }
