import Arrays
import ClassicalModels
import Foundation
import ModelServing
import Serving
import TestSupport

/// What the model server of a test answers.
///
/// ```swift
/// ["Threshold:1": TestModel(shape: [-1, -1, -1, 1]) { image in
///   ["bright": image.map { $0 > 2 ? 1 : 0 }]
/// }]
/// ```
public struct TestModels: Sendable, ExpressibleByDictionaryLiteral {
  private let handler: @Sendable () throws -> ModelServerHost.Handler

  /// Those of `kiosk-model-server`: classical image analysis under the names of the DeepCell models.
  public static let classical = TestModels {
    let service = ModelService(
      workers: TileWorkers(threads: ProcessInfo.processInfo.activeProcessorCount, limit: 1024))
    return { await service.answer($0) }
  }

  /// Models of your own, by name and version as consumers write them: `Threshold:1`.
  public init(_ models: [String: TestModel]) {
    self.init {
      let service = TestModelService(
        models: try Dictionary(uniqueKeysWithValues: models.map { (try ModelName($0), $1) }))
      return { await service.answer($0) }
    }
  }

  public init(dictionaryLiteral elements: (String, TestModel)...) {
    self.init(Dictionary(uniqueKeysWithValues: elements))
  }

  private init(handler: @escaping @Sendable () throws -> ModelServerHost.Handler) {
    self.handler = handler
  }

  /// Serves them on a free port.
  func serve() throws -> ModelServerHost {
    try ModelServerHost(address: "127.0.0.1", port: 0, handler: handler())
  }
}

/// One model of a test.
public struct TestModel: Sendable {
  public typealias Arrays = [String: NDArray<Float>]

  let inputs: [String: Shape]
  let answer: @Sendable (Arrays) async throws -> Arrays

  /// - Parameters:
  ///   - inputs: shapes by name, `[batch, ...]`; -1 where any extent will do.
  ///   - answer: from inputs to outputs by name, `[batch, ...]` each. An error it throws is answered
  ///     as `INTERNAL`, a `ServingError` with its code.
  public init(
    inputs: [String: Shape], answer: @escaping @Sendable (Arrays) async throws -> Arrays
  ) {
    self.inputs = inputs
    self.answer = answer
  }

  /// A model of one input.
  public init(
    input: String = "input_0", shape: Shape,
    answer: @escaping @Sendable (NDArray<Float>) async throws -> Arrays
  ) {
    self.init(inputs: [input: shape]) { inputs in
      guard let array = inputs[input] else { throw TestSupportError("\(input) is missing") }
      return try await answer(array)
    }
  }
}
