import Arrays
import ModelServing
import Serving

/// A model server in this process, behind real gRPC: both heads are the image where it is bright.
final class ThresholdModels: Sendable {
  let host: ModelServerHost
  let client: ServingClient

  static let names = [
    "NuclearSegmentation": 6, "CytoplasmSegmentation": 5, "PhaseCytoSegmentation": 0,
  ]

  init(side: Int = 256) throws {
    host = try ModelServerHost(address: "127.0.0.1", port: 0) { call in
      Self.answer(call.request, side: side)
    }
    client = Self.client(of: host)
  }

  static func client(of host: ModelServerHost) -> ServingClient {
    var configuration = ServingConfiguration()
    configuration.host = "127.0.0.1"
    configuration.port = host.port
    configuration.waitTimeout = .seconds(20)
    return ServingClient(configuration)
  }

  private static func answer(_ request: ModelServerCall.Request, side: Int) -> ModelServerReply {
    switch request {
    case .metadata(let model):
      guard let version = names[model.name], model.version ?? version == version else {
        return .failure(.notFound, "Servable not found for request: Specific(\(model.name))")
      }
      let image = ModelMetadata.Tensor(
        graphName: "serving_default_input_0:0", type: TensorType(.float32),
        shape: [-1, side, side, 1])
      return .metadata(
        ModelMetadata(inputs: ["input_0": image], outputs: ["semantic": image]),
        model: ModelSelection(name: model.name, version: version))
    case .predict(let call):
      guard let image = call.inputs["input_0"]?.typed(as: Float.self) else {
        return .failure(.invalidArgument, "input_0 is missing")
      }
      let bright = AnyNDArray(image.map { $0 > 0.6 ? $0 : 0 })
      return .outputs(
        ["semantic": bright, "semantic_1": bright], model: call.model, encoding: .typed)
    default: return .failure(.unimplemented, "not here")
    }
  }
}
