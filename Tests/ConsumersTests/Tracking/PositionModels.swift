import Arrays
import ModelServing
import Serving
import Synchronization

/// The models of tracking, in this process and behind real gRPC: cells are the same if they are near, and
/// one that is new near another is its daughter. Those of images are ``BrightModels``.
final class PositionModels: Sendable {
  /// In place of what the models of tracking answer.
  enum Fault: Sendable {
    case missing(String)
    case shape(String)
    case notFinite(String)
    case oneOutput, otherInputs
  }

  let client: ServingClient
  private let host: ModelServerHost

  static let encoder = "NuclearTrackingNE"
  static let tracker = "NuclearTrackingInf"

  private final class Log: Sendable {
    let calls = Mutex<[String: Int]>([:])
  }
  private let log: Log

  init(_ fault: Fault? = nil) throws {
    let log = Log()
    self.log = log
    host = try ModelServerHost(address: "127.0.0.1", port: 0) { call in
      Self.answer(call.request, fault, log)
    }
    client = BrightModels.client(of: host)
  }

  /// How often a model was asked for anything but its metadata.
  func predictions(of model: String) -> Int { log.calls.withLock { $0[model] ?? 0 } }

  private static let inputs: [String: [String: Shape]] = [
    encoder: [
      "encoder_app_input": [-1, -1, 32, 32, 1], "encoder_morph_input": [-1, -1, 3],
      "encoder_centroid_input": [-1, -1, 2], "encoder_adj_input": [-1, -1, -1],
    ],
    tracker: [
      "current_embeddings": [-1, -1, -1, 3], "current_centroids": [-1, -1, -1, 2],
      "future_embeddings": [-1, 1, -1, 3], "future_centroids": [-1, 1, -1, 2],
    ],
  ]

  private static func answer(
    _ request: ModelServerCall.Request, _ fault: Fault?, _ log: Log
  ) -> ModelServerReply {
    switch request {
    case .metadata(let model):
      guard var shapes = inputs[model.name] else { break }
      if case .missing(model.name) = fault {
        return .failure(.notFound, "Servable not found for request: Specific(\(model))")
      }
      if case .otherInputs = fault { shapes = ["image": [-1, -1, -1, 1]] }
      return .metadata(
        ModelMetadata(
          inputs: shapes.mapValues {
            ModelMetadata.Tensor(type: TensorType(.float32), shape: $0)
          }),
        model: ModelSelection(name: model.name, version: 6))
    case .predict(let call):
      let name = call.model.name
      guard let shapes = inputs[name] else { break }
      log.calls.withLock { $0[name, default: 0] += 1 }
      let arrays = call.inputs.mapValues(\.asFloat)
      for (input, shape) in shapes {
        guard let array = arrays[input], array.rank == shape.count,
          zip(array.shape, shape).allSatisfy({ $1 < 0 || $0 == $1 })
        else { return .failure(.invalidArgument, "\(input) is not \(shape)") }
      }
      var outputs = name == encoder ? describe(arrays) : compare(arrays)
      switch fault {
      case .shape(name): outputs = outputs.mapValues { _ in NDArray(shape: [1, 2, 3]) }
      case .notFinite(name): outputs = outputs.mapValues { $0.map { $0 / 0 } }
      case .oneOutput where name == encoder: outputs["centroids"] = nil
      default: break
      }
      return .outputs(
        outputs.mapValues(AnyNDArray.init), model: call.model, encoding: .tensorContent)
    default: break
    }
    return BrightModels(side: 64).answer(request)
  }

  /// The centroids, and embeddings of position and area.
  static func describe(_ inputs: [String: NDArray<Float>]) -> [String: NDArray<Float>] {
    guard let centroids = inputs["encoder_centroid_input"],
      let forms = inputs["encoder_morph_input"]
    else { return [:] }
    let embeddings = joined([centroids.channel(0), centroids.channel(1), forms.channel(0)])
    return ["centroids": centroids, "embeddings": embeddings]
  }

  /// `[1, 1, track, cell, 3]`
  static func compare(_ inputs: [String: NDArray<Float>]) -> [String: NDArray<Float>] {
    guard let current = inputs["current_embeddings"], let future = inputs["future_embeddings"]
    else { return [:] }
    let last = current.slice(0).slice(current.shape[1] - 1)
    let next = future.slice(0).slice(0)
    let (tracks, cells) = (last.shape[0], next.shape[0])
    var answer = NDArray<Float>(shape: [1, 1, tracks, cells, 3])
    for track in 0..<tracks {
      for cell in 0..<cells {
        let (y, x) = (last[track, 0] - next[cell, 0], last[track, 1] - next[cell, 1])
        let distance = (y * y + x * x).squareRoot()
        answer[0, 0, track, cell, 0] = distance < 5 ? 1 - distance / 10 : 0
        answer[0, 0, track, cell, 1] = distance < 5 ? distance / 10 : 1
        answer[0, 0, track, cell, 2] = distance < 14 ? 0.95 : 0
      }
    }
    return ["prediction": answer]
  }
}
