import Arrays
import ModelServing
import Serving

/// Answers calls as TensorFlow Serving does, from closures.
struct TestModelService: Sendable {
  let models: [ModelName: TestModel]

  func answer(_ call: ModelServerCall) async -> ModelServerReply {
    do {
      switch call.request {
      case .metadata(let selection):
        let (name, model) = try model(selection)
        let inputs = model.inputs.mapValues { shape in
          ModelMetadata.Tensor(type: TensorType(.float32), shape: shape)
        }
        return .metadata(ModelMetadata(inputs: inputs), model: name)
      case .predict(let predict):
        let (name, model) = try model(predict.model)
        let inputs = try model.accept(predict.inputs)
        let outputs = try await model.answer(inputs)
        return .outputs(
          outputs.mapValues(AnyNDArray.init), model: name, encoding: .tensorContent)
      case .status, .health, .other:
        return .failure(.unimplemented, "\(call.method) is not part of a test's model server")
      }
    } catch let error as ServingError {
      return .failure(error.code, error.message)
    } catch is CancellationError {
      return .failure(.cancelled, "the caller went away")
    } catch {
      return .failure(.internal, "\(error)")
    }
  }

  private func model(_ selection: ModelSelection) throws -> (ModelSelection, TestModel) {
    let found = models.first {
      $0.key.name == selection.name && $0.key.version == selection.version ?? $0.key.version
    }
    guard let found else {
      let known = models.keys.map(\.description).sorted().joined(separator: ", ")
      throw ServingError(
        code: .notFound, operation: .model,
        message: "the test has no model \(selection); it has \(known)")
    }
    return (ModelSelection(name: found.key.name, version: found.key.version), found.value)
  }
}

extension TestModel {
  /// The inputs of a call, if they are those that the model declares.
  fileprivate func accept(_ sent: [String: AnyNDArray]) throws -> Arrays {
    func refuse(_ why: String) -> ServingError {
      ServingError(code: .invalidArgument, operation: .predict, message: why)
    }
    guard sent.keys.sorted() == inputs.keys.sorted() else {
      throw refuse("the inputs are \(inputs.keys.sorted()), not \(sent.keys.sorted())")
    }
    return try sent.reduce(into: [:]) { accepted, input in
      let shape = inputs[input.key] ?? []
      guard let array = input.value.typed(as: Float.self) else {
        throw refuse("\(input.key) is \(input.value.dtype), not float32")
      }
      guard array.rank == shape.count, zip(array.shape, shape).allSatisfy({ $1 < 0 || $0 == $1 })
      else {
        throw refuse(
          "\(input.key) has the shape \(array.shape.tupleDescription), not "
            + shape.tupleDescription)
      }
      accepted[input.key] = array
    }
  }
}
