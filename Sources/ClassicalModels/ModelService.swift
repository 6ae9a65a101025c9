import Arrays
import ModelServing
import Serving

/// Answers calls as TensorFlow Serving does, with its codes and words, from classical models.
package struct ModelService: Sendable {
  package var models = ClassicalModel.all
  package var encoding = ModelServerReply.Encoding.typed
  /// Images of one call; nil for no limit.
  package var maximumBatch: Int?
  /// Pixels of one call, to models that take images of any size.
  var maximumElements = 1 << 26
  /// What a Predict call takes longer than its analysis.
  package var latency = Duration.zero
  /// Added to the latency, up to this much, by chance.
  package var jitter = Duration.zero
  /// Until then, the models are loading.
  package var ready = ContinuousClock.now
  package var faults = FaultPlan([])
  let workers: TileWorkers

  package init(workers: TileWorkers) { self.workers = workers }

  package func answer(_ call: ModelServerCall) async -> ModelServerReply {
    do {
      switch call.request {
      case .predict(let predict):
        try requireReady()
        return try await outputs(of: predict)
      case .metadata(let selection):
        try requireReady()
        let model = try model(selection)
        return .metadata(model.metadata, model: model.selection)
      case .status(let selection): return .status(try status(of: selection))
      case .health(let service):
        guard Self.services.contains(service) else {
          throw Refusal(.notFound, "unknown service \(service)")
        }
        return .health(isServing: isReady)
      case .other: throw Refusal(.unimplemented, "\(call.method) is not offered")
      }
    } catch let refusal as Refusal {
      return .failure(refusal.code, refusal.reason)
    } catch is CancellationError {
      return .failure(.cancelled, "the caller went away")
    } catch {
      return .failure(.internal, "\(error)")
    }
  }

  private var isReady: Bool { ContinuousClock.now >= ready }

  private func requireReady() throws(Refusal) {
    guard isReady else { throw Refusal(.unavailable, "the models are loading") }
  }

  private static let services: Set<String> = [
    "", "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService",
    "PredictionService", "ModelService",
  ]

  private func model(_ selection: ModelSelection) throws(Refusal) -> ClassicalModel {
    guard !selection.name.isEmpty else {
      throw Refusal(.invalidArgument, "ModelSpec has no name specified.")
    }
    let model = models.first {
      $0.name == selection.name && (selection.version ?? $0.version) == $0.version
    }
    if let model { return model }
    let wanted = selection.version.map { "Specific(\(selection.name), \($0))" }
    throw Refusal(
      .notFound, "Servable not found for request: \(wanted ?? "Latest(\(selection.name))")")
  }

  private func status(of selection: ModelSelection) throws(Refusal) -> [ModelVersionStatus] {
    let versions = models.filter { $0.name == selection.name }.map(\.version)
    guard !versions.isEmpty else {
      throw Refusal(.notFound, "Could not find any versions of model \(selection.name)")
    }
    if let version = selection.version, !versions.contains(version) {
      throw Refusal(.notFound, "Could not find version \(version) of model \(selection.name)")
    }
    return versions.filter { $0 == selection.version ?? $0 }.map {
      ModelVersionStatus(version: $0, state: isReady ? .available : .loading)
    }
  }

  private func outputs(of call: PredictCall) async throws -> ModelServerReply {
    if let fault = faults.next() { throw Refusal(fault.code, fault.reason) }
    let model = try model(call.model)
    let request = try ModelRequest(
      call, to: model, maximumBatch: maximumBatch, maximumElements: maximumElements)
    let outputs = try await workers.admitting(request.cost) {
      let pause = latency + jitter * Double.random(in: 0...1)
      if pause > .zero { try await Task.sleep(for: pause) }
      return request.outputs(try await workers.map(request.count) { try request.answer($0) })
    }
    guard let outputs else {
      throw Refusal(
        .unavailable, "The batch scheduling queue to which this task was submitted is full")
    }
    return .outputs(outputs, model: model.selection, encoding: encoding)
  }
}

/// A call that is answered with a status.
struct Refusal: Error {
  let code: StatusCode
  let reason: String

  init(_ code: StatusCode, _ reason: String) {
    self.code = code
    self.reason = reason
  }
}
