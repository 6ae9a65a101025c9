import Arrays
import ModelServing

/// A Predict call that fits the signature of its model: inputs, and the outputs wanted of them.
struct ModelRequest: Sendable {
  /// Entries of the batch.
  let count: Int
  /// What its analysis takes, in images of 256 x 256.
  let cost: Int
  private let model: ClassicalModel
  /// In the order of the model's inputs, `[entry, ...]`.
  private let inputs: [NDArray<Float>]
  /// Indices of the model's outputs.
  private let wanted: [Int]
  /// Of the axes that callers choose, by name.
  private let lengths: [String: Int]

  /// - Parameters:
  ///   - maximumBatch: entries of a batch; nil for no limit.
  ///   - maximumElements: of all inputs together, where the model leaves their extents open. The
  ///     outputs may have three times as many.
  /// - Throws: ``Refusal`` as TensorFlow Serving words it, where the shape of a tensor is checked only
  ///   deep inside of a model.
  init(
    _ call: PredictCall, to model: ClassicalModel, maximumBatch: Int?, maximumElements: Int
  ) throws(Refusal) {
    guard call.signature.isEmpty || call.signature == "serving_default" else {
      throw Refusal(
        .failedPrecondition, "Serving signature key \"\(call.signature)\" not found.")
    }
    self.model = model
    let sent = try Self.inputs(of: call, to: model)
    wanted = try Self.outputs(of: call, from: model)
    (inputs, lengths) = try Self.checked(sent, by: model)
    count = inputs.first?.shape[0] ?? 0
    if let maximumBatch, count > maximumBatch {
      throw Refusal(
        .invalidArgument,
        "Task size \(count) is larger than maximum input batch size \(maximumBatch)")
    }
    let elements = inputs.reduce(0) { $0 + $1.count }
    let answered = Self.elements(answered: count, lengths, by: model)
    let work = max(elements, answered / 3)
    cost = count == 0 ? 0 : count * max((work / count + 65_535) / 65_536, 1)
    guard model.takesAnyExtent else { return }
    guard elements <= maximumElements else {
      throw Refusal(
        .invalidArgument,
        "\(elements) values are more than the \(maximumElements) taken in one call; send fewer "
          + "or smaller images")
    }
    guard answered / 3 <= maximumElements else {
      throw Refusal(
        .invalidArgument,
        "the answer would have \(answered) values, more than the \(3 * maximumElements) given in one "
          + "call; send less")
    }
  }

  /// How many values the outputs have; `Int.max` if there is no telling.
  private static func elements(
    answered count: Int, _ lengths: [String: Int], by model: ClassicalModel
  ) -> Int {
    var sum = 0
    for output in model.outputs {
      guard let elements = ([count] + output.shape(lengths: lengths)).checkedElementCount,
        case (let next, false) = sum.addingReportingOverflow(elements)
      else { return .max }
      sum = next
    }
    return sum
  }

  private static func inputs(
    of call: PredictCall, to model: ClassicalModel
  ) throws(Refusal) -> [AnyNDArray] {
    let names = model.inputs.map(\.name)
    let sent = call.inputs.keys.sorted()
    let extra = sent.filter { !names.contains($0) }
    let missing = names.filter { !sent.contains($0) }
    guard sent.count == names.count else {
      throw Refusal(
        .invalidArgument,
        "input size does not match signature: \(sent.count)!=\(names.count) "
          + "len({\(sent.joined(separator: ","))}) != len({\(names.joined(separator: ","))}). "
          + "Sent extra: {\(extra.joined(separator: ","))}. "
          + "Missing but required: {\(missing.joined(separator: ","))}.")
    }
    guard missing.isEmpty else {
      throw Refusal(
        .invalidArgument,
        "input tensor alias not found in signature: \(extra.first ?? ""). "
          + "Inputs expected to be in the set {\(names.joined(separator: ","))}.")
    }
    return names.compactMap { call.inputs[$0] }
  }

  private static func checked(
    _ sent: [AnyNDArray], by model: ClassicalModel
  ) throws(Refusal) -> ([NDArray<Float>], lengths: [String: Int]) {
    var inputs: [NDArray<Float>] = []
    var lengths: [String: Int] = [:]
    for (index, (array, tensor)) in zip(sent, model.inputs).enumerated() {
      guard let input = array.typed(as: Float.self) else {
        throw Refusal(
          .invalidArgument,
          "Expects arg[\(index)] to be float but \(array.dtype.tensorFlowName) is provided")
      }
      guard tensor.fits(input.shape) else {
        throw Refusal(
          .invalidArgument,
          "input \(tensor.name) has the shape \(input.shape.tupleDescription), which does not match "
            + "the model's \(tensor.shape.tupleDescription)")
      }
      if let axis = tensor.note(input.shape, in: &lengths) {
        throw Refusal(
          .invalidArgument,
          "input \(tensor.name) has the shape \(input.shape.tupleDescription), but other inputs have "
            + "\(lengths[axis] ?? 0) along the axis of its \(axis)s")
      }
      guard input.shape[0] == inputs.first?.shape[0] ?? input.shape[0] else {
        throw Refusal(
          .invalidArgument,
          "Batching input tensors supplied in a given feed list must have equal "
            + "0th-dimension size")
      }
      inputs.append(input)
    }
    return (inputs, lengths)
  }

  private static func outputs(
    of call: PredictCall, from model: ClassicalModel
  ) throws(Refusal) -> [Int] {
    let names = model.outputs.map(\.name)
    var wanted: [Int] = []
    for name in call.outputFilter {
      guard let index = names.firstIndex(of: name) else {
        throw Refusal(
          .invalidArgument,
          "output tensor alias not found in signature: \(name) "
            + "Outputs expected to be in the set {\(names.joined(separator: ","))}.")
      }
      guard !wanted.contains(index) else {
        throw Refusal(.invalidArgument, "duplicate output tensor alias: \(name)")
      }
      wanted.append(index)
    }
    return wanted.isEmpty ? Array(names.indices) : wanted
  }

  /// What the model makes of one entry of the batch: all of its outputs.
  func answer(_ entry: Int) throws -> [NDArray<Float>] {
    try model.answer(inputs.map { $0.slice(entry) })
  }

  /// The wanted outputs by name, `[entry, ...]`.
  ///
  /// - Parameter answers: those to all entries.
  func outputs(_ answers: [[NDArray<Float>]]) -> [String: AnyNDArray] {
    var outputs: [String: AnyNDArray] = [:]
    for index in wanted {
      let tensor = model.outputs[index]
      let shape = answers.first?[index].shape ?? tensor.shape(lengths: lengths)
      let stacked = NDArray<Float>(uninitialized: [count] + shape) { output in
        for (entry, answer) in answers.enumerated() {
          answer[index].withUnsafeBuffer {
            _ = output[(entry * $0.count)...].update(fromContentsOf: $0)
          }
        }
      }
      outputs[tensor.name] = AnyNDArray(stacked)
    }
    return outputs
  }
}

extension DType {
  /// The name TensorFlow's messages have for it.
  fileprivate var tensorFlowName: String {
    switch self {
    case .float16: "half"
    case .float32: "float"
    case .float64: "double"
    default: rawValue
    }
  }
}
