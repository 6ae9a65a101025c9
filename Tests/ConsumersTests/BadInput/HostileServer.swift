import Arrays
import ModelServing
import Serving
import TestSupport

/// What answers where a model server should.
enum HostilePeer: Sendable {
  /// A gRPC server that answers so to Predict, and as it should to the rest.
  case predict(@Sendable (PredictCall) async -> ModelServerReply)
  /// A gRPC server that answers so to GetModelMetadata.
  case metadata(@Sendable (ModelSelection) -> ModelServerReply)
  /// Cuts the connection while a Predict call is in work.
  case cutsConnections
  /// Answers so to whatever comes.
  case bytes(ListenerAnswer)
  /// Nobody listens.
  case nobody

  /// One input of this shape and type.
  static func input(_ shape: [Int]?, type: TensorType = TensorType(.float32)) -> HostilePeer {
    inputs([
      "input_0": ModelMetadata.Tensor(
        graphName: "serving_default_input_0:0", type: type, shape: shape)
    ])
  }

  static func inputs(_ inputs: [String: ModelMetadata.Tensor]) -> HostilePeer {
    .metadata { model in .metadata(ModelMetadata(inputs: inputs, outputs: [:]), model: model) }
  }

  /// This for each output that the model has, made of the tiles sent.
  static func heads(
    _ head: @escaping @Sendable (NDArray<Float>) -> AnyNDArray
  ) -> HostilePeer {
    .predict { call in
      guard let tiles = call.inputs["input_0"]?.typed(as: Float.self) else {
        return .failure(.invalidArgument, "input_0 is missing")
      }
      let head = head(tiles)
      let names = BrightModels.outputs(of: call.model.name)
      return .outputs(
        Dictionary(uniqueKeysWithValues: names.map { ($0, head) }), model: call.model,
        encoding: .typed)
    }
  }

  static func fails(_ code: StatusCode, _ text: String = "") -> HostilePeer {
    .predict { _ in .failure(code, text) }
  }
}

/// A ``HostilePeer`` that listens.
final class HostileServer: Sendable {
  private let port: Int
  private let host: ModelServerHost?
  private let proxy: TestProxy?
  private let listener: TestListener?

  init(_ peer: HostilePeer) async throws {
    let link = Watched<TestProxy?>(nil)
    switch peer {
    case .predict, .metadata, .cutsConnections:
      let host = try ModelServerHost { call in
        switch (peer, call.request) {
        case (.predict(let answer), .predict(let call)): return await answer(call)
        case (.metadata(let answer), .metadata(let model)): return answer(model)
        case (.cutsConnections, .predict):
          await link.value?.cut()
          // Ends early when the loss of the connection is noticed.
          try? await Task.sleep(for: .seconds(600))
          return .failure(.ok, "")
        default: return JobKind.models.answer(call.request)
        }
      }
      let proxy =
        if case .cutsConnections = peer { try await TestProxy(to: host.port) } else {
          nil as TestProxy?
        }
      await link.update { $0 = proxy }
      (self.host, self.proxy, listener, port) = (host, proxy, nil, proxy?.port ?? host.port)
    case .bytes(let answer):
      let listener = try await TestListener.answering { _, _ in answer }
      (host, proxy, self.listener, port) = (nil, nil, listener, listener.port)
    case .nobody:
      (host, proxy, listener, port) = (nil, nil, nil, try freePort())
    }
  }

  /// - Parameter change: to a configuration that does not try for long.
  func client(_ change: (inout ServingConfiguration) -> Void) -> ServingClient {
    var configuration = ServingConfiguration()
    configuration.host = "127.0.0.1"
    configuration.port = port
    configuration.waitTimeout = .milliseconds(200)
    configuration.backoff = .milliseconds(10)
    configuration.maximumRetries = 2
    change(&configuration)
    return ServingClient(configuration)
  }
}
