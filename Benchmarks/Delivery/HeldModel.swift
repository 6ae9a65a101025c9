import Arrays
import ModelServing
import Serving
import TestSupport

/// A model whose answers can be held back: both heads are the image where it is bright.
final class HeldModel: Sendable {
  private let host: ModelServerHost
  private let isHeld: Watched<Bool>

  var port: Int { host.port }

  init() throws {
    let isHeld = Watched(true)
    self.isHeld = isHeld
    host = try ModelServerHost(address: "127.0.0.1", port: 0) { call in
      switch call.request {
      case .metadata(let model):
        let image = ModelMetadata.Tensor(
          graphName: "serving_default_input_0:0", type: TensorType(.float32),
          shape: [-1, 256, 256, 1])
        return .metadata(
          ModelMetadata(inputs: ["input_0": image], outputs: ["semantic": image]), model: model)
      case .predict(let call):
        guard let image = call.inputs["input_0"]?.typed(as: Float.self) else {
          return .failure(.invalidArgument, "input_0 is missing")
        }
        // Ends early when the caller goes away.
        _ = try? await isHeld.wait { !$0 }
        let bright = AnyNDArray(image.map { $0 > 0.6 ? $0 : 0 })
        return .outputs(
          ["semantic": bright, "semantic_1": bright], model: call.model, encoding: .typed)
      default: return .failure(.unimplemented, "not here")
      }
    }
  }

  func hold(_ isHeld: Bool) async { await self.isHeld.update { $0 = isHeld } }

  func stop() async {
    await hold(false)
    await host.stop(grace: .zero)
  }
}
