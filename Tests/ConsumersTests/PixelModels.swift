import Arrays
import ModelServing
import Serving
import Synchronization

/// Models in this process, behind real gRPC, whose answers at a pixel depend on that pixel alone.
///
/// It counts the calls of each model, those for metadata among them.
final class PixelModels: Sendable {
  private let host: ModelServerHost
  let client: ServingClient
  private let log: CallLog

  private final class CallLog: Sendable {
    let calls = Mutex<[String: Int]>([:])
    let types = Mutex<Set<DType>>([])
  }

  private struct Model: Sendable {
    var type = TensorType(.float32)
    let shape: Shape
    /// From `[batch, row, column, channel]`.
    let answer: @Sendable (NDArray<Float>) -> [String: NDArray<Float>]
  }

  private static let models: [String: Model] = [
    "Pixels:1": Model(shape: [-1, -1, -1, 1]) { ["other": $0, "prediction": classes(of: $0)] },
    "Tiles:2": Model(shape: [-1, 64, 64, 1]) { ["prediction": classes(of: $0)] },
    "Pixels_f16:1": Model(type: TensorType(.float16), shape: [-1, -1, -1, 1]) {
      ["prediction": classes(of: $0)]
    },
    "Pair:1": Model(shape: [-1, -1, -1, 2]) { image in
      ["prediction_0": image, "prediction_1": image.map { -$0 }]
    },
    "Numbers:1": Model(type: TensorType(.int32), shape: [-1, -1, -1, 1]) { ["prediction": $0] },
    "NuclearSegmentation:6": Model(shape: [-1, 64, 64, 1]) {
      ["semantic_0": $0, "semantic_1": $0]
    },
    "CytoplasmSegmentation:5": Model(shape: [-1, 64, 64, 1]) {
      ["semantic_0": $0, "semantic_1": $0]
    },
    // The scale is 2 for bright images, and 40 for very bright ones.
    "ScaleDetection:1": Model(shape: [-1, 32, 32, 1]) { image in
      ["scale": item(of: image) { [($0.max() ?? 0) > 100 ? 40 : 2] }]
    },
    "LabelDetection:1": Model(shape: [-1, 32, 32, 1]) { image in
      ["label": item(of: image) { _ in [0.1, 0.7, 0.2] }]
    },
  ]

  init() throws {
    let log = CallLog()
    self.log = log
    host = try ModelServerHost(address: "127.0.0.1", port: 0) { call in
      Self.answer(call.request, log)
    }
    client = BrightModels.client(of: host)
  }

  /// How often a model was asked for anything.
  func calls(of model: String) -> Int { log.calls.withLock { $0[model] ?? 0 } }
  /// The types of images that came.
  var types: Set<DType> { log.types.withLock { $0 } }

  private static func answer(
    _ request: ModelServerCall.Request, _ log: CallLog
  ) -> ModelServerReply {
    func model(_ selection: ModelSelection) -> Model? {
      let name = "\(selection.name):\(selection.version ?? 0)"
      log.calls.withLock { $0[name, default: 0] += 1 }
      return models[name]
    }
    switch request {
    case .metadata(let selection):
      guard let model = model(selection) else { return notFound(selection) }
      let input = ModelMetadata.Tensor(
        graphName: "serving_default_image:0", type: model.type, shape: model.shape)
      return .metadata(ModelMetadata(inputs: ["image": input]), model: selection)
    case .predict(let call):
      guard let model = model(call.model) else { return notFound(call.model) }
      guard let image = call.inputs["image"] else {
        return .failure(.invalidArgument, "image is missing")
      }
      _ = log.types.withLock { $0.insert(image.dtype) }
      return .outputs(
        model.answer(image.asFloat).mapValues(AnyNDArray.init), model: call.model,
        encoding: .tensorContent)
    default: return .failure(.unimplemented, "not here")
    }
  }

  private static func notFound(_ model: ModelSelection) -> ModelServerReply {
    .failure(.notFound, "Servable not found for request: \(model.name)")
  }

  /// Classes edge, interior and background: a pixel is its own probability of being interior.
  private static func classes(of image: NDArray<Float>) -> NDArray<Float> {
    NDArray(
      shape: image.shape.dropLast() + [3],
      elements: image.elements.flatMap { [0, $0, 1 - $0] })
  }

  private static func item(
    of image: NDArray<Float>, _ body: ([Float]) -> [Float]
  ) -> NDArray<Float> {
    let rows = (0..<image.shape[0]).map { body(image.slice($0).elements) }
    return NDArray(shape: [rows.count, rows[0].count], elements: rows.flatMap { $0 })
  }
}
