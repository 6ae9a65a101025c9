import Arrays
import ModelServing
import Serving

/// Answers calls as TensorFlow Serving does, with its codes and words, from classical models.
struct ModelService: Sendable {
  let models: [ClassicalModel]
  let encoding: ModelServerReply.Encoding
  /// Images of one call; nil for no limit.
  let maximumBatch: Int?
  let latency: Duration
  /// Added to the latency, up to this much, by chance.
  let jitter: Duration
  /// Until then, every call is UNAVAILABLE.
  let ready: ContinuousClock.Instant
  let faults: FaultPlan
  let workers: TileWorkers

  func answer(_ call: ModelServerCall) async -> ModelServerReply {
    guard ContinuousClock.now >= ready else { return .failure(.unavailable, "Server is starting") }
    switch call.request {
    case .predict(let predict): return await self.predict(predict)
    case .metadata(let selection):
      return found(selection) { .metadata($0.metadata, model: Self.selection(of: $0)) }
    case .status(let selection):
      return found(selection) { model in
        .status([ModelVersionStatus(version: model.version, state: .available)])
      }
    case .health(let service):
      return Self.services.contains(service)
        ? .health(isServing: true) : .failure(.notFound, "unknown service \(service)")
    case .other: return .failure(.unimplemented, "\(call.method) is not offered")
    }
  }

  private static let services: Set<String> = [
    "", "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService",
    "PredictionService", "ModelService",
  ]

  private static func selection(of model: ClassicalModel) -> ModelSelection {
    ModelSelection(name: model.name, version: model.version)
  }

  private func found(
    _ selection: ModelSelection, _ body: (ClassicalModel) -> ModelServerReply
  ) -> ModelServerReply {
    guard let model = model(selection) else { return Self.notFound(selection) }
    return body(model)
  }

  private func model(_ selection: ModelSelection) -> ClassicalModel? {
    models.first {
      $0.name == selection.name && (selection.version == nil || selection.version == $0.version)
    }
  }

  private static func notFound(_ selection: ModelSelection) -> ModelServerReply {
    let wanted = selection.version.map { "Specific(\(selection.name), \($0))" }
    return .failure(
      .notFound, "Servable not found for request: \(wanted ?? "Latest(\(selection.name))")")
  }

  private func predict(_ call: PredictCall) async -> ModelServerReply {
    if let code = faults.next() { return .failure(code, "injected fault") }
    guard let model = model(call.model) else { return Self.notFound(call.model) }
    let tiles: NDArray<Float>
    switch Self.input(of: call) {
    case .success(let input): tiles = input
    case .failure(let refusal): return .failure(.invalidArgument, refusal.reason)
    }
    let count = tiles.shape[0]
    if let maximumBatch, count > maximumBatch {
      return .failure(
        .invalidArgument,
        "Task size \(count) is larger than maximum input batch size \(maximumBatch)")
    }
    for name in call.outputFilter where !ClassicalModel.outputNames.contains(name) {
      return .failure(
        .invalidArgument,
        "output tensor alias not found in signature: \(name) Outputs expected to "
          + "be in the set {\(ClassicalModel.outputNames.joined(separator: ","))}.")
    }

    do {
      let pause = latency + jitter * Double.random(in: 0...1)
      if pause > .zero { try await Task.sleep(for: pause) }
      let heads = try await workers.map(count) { try model.heads(of: tiles.slice($0).channel(0)) }
      guard let heads else {
        return .failure(
          .resourceExhausted,
          "The batch scheduling queue to which this task was "
            + "submitted is full")
      }
      let wanted = ClassicalModel.outputNames.enumerated().filter {
        call.outputFilter.isEmpty || call.outputFilter.contains($0.element)
      }
      let outputs = wanted.map { index, name in
        (name, AnyNDArray(Self.stacked(heads.map { $0[index] })))
      }
      return .outputs(
        Dictionary(uniqueKeysWithValues: outputs), model: Self.selection(of: model),
        encoding: encoding)
    } catch is CancellationError {
      return .failure(.cancelled, "the caller went away")
    } catch {
      return .failure(.internal, "\(error)")
    }
  }

  private struct Refusal: Error { let reason: String }

  /// The tiles of a call: `[tile, row, column, 1]`.
  private static func input(of call: PredictCall) -> Result<NDArray<Float>, Refusal> {
    func refuse(_ reason: String) -> Result<NDArray<Float>, Refusal> {
      .failure(Refusal(reason: reason))
    }
    guard call.signature.isEmpty || call.signature == "serving_default" else {
      return refuse("Serving signature key \"\(call.signature)\" not found.")
    }
    let name = ClassicalModel.inputName
    guard call.inputs.count == 1, let input = call.inputs[name] else {
      let names = call.inputs.keys.sorted().joined(separator: ",")
      return refuse(
        "input size does not match signature: \(call.inputs.count)!=1 len({\(names)}) != "
          + "len({\(name)}). Sent extra: {} Missing but required: {}.")
    }
    guard let tiles = input.typed(as: Float.self) else {
      return refuse("Expected input \(name) to be float but got \(input.dtype)")
    }
    let side = ClassicalModel.side
    guard tiles.rank == 4, tiles.shape[1...] == [side, side, 1] else {
      return refuse(
        "input \(name) has shape \(input.shape.tupleDescription), not (-1, \(side), \(side), 1)")
    }
    guard tiles.shape[0] > 0 else { return refuse("input \(name) has no image") }
    return .success(tiles)
  }

  /// Maps `[row, column]` as `[map, row, column, 1]`.
  private static func stacked(_ maps: [NDArray<Float>]) -> NDArray<Float> {
    NDArray(uninitialized: [maps.count] + maps[0].shape + [1]) { output in
      for (i, map) in maps.enumerated() {
        map.withUnsafeBuffer { _ = output[(i * map.count)...].update(fromContentsOf: $0) }
      }
    }
  }
}
