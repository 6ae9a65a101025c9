import Arrays
import ModelServing

/// A Predict call that fits the signature of a model: tiles, and the outputs wanted of them.
struct TileRequest: Sendable {
  /// `[tile, row, column, 1]`
  private let tiles: NDArray<Float>
  /// Indices of `ClassicalModel.outputNames`.
  private let wanted: [Int]

  var count: Int { tiles.shape[0] }

  /// - Throws: ``Refusal`` as TensorFlow Serving words it, where the shape of a tensor is checked only
  ///   deep inside of a model.
  init(_ call: PredictCall, maximumBatch: Int?) throws(Refusal) {
    guard call.signature.isEmpty || call.signature == "serving_default" else {
      throw Refusal(
        .failedPrecondition, "Serving signature key \"\(call.signature)\" not found.")
    }
    let input = try Self.input(of: call)
    wanted = try Self.outputs(of: call)
    guard let tiles = input.typed(as: Float.self) else {
      throw Refusal(
        .invalidArgument, "Expects arg[0] to be float but \(input.dtype.tensorFlowName) is provided"
      )
    }
    let side = ClassicalModel.side
    guard tiles.rank == 4, tiles.shape[1...] == [side, side, 1] else {
      throw Refusal(
        .invalidArgument,
        "input \(ClassicalModel.inputName) has the shape \(input.shape.tupleDescription), which does "
          + "not match the model's (-1, \(side), \(side), 1)")
    }
    if let maximumBatch, tiles.shape[0] > maximumBatch {
      throw Refusal(
        .invalidArgument,
        "Task size \(tiles.shape[0]) is larger than maximum input batch size \(maximumBatch)")
    }
    self.tiles = tiles
  }

  private static func input(of call: PredictCall) throws(Refusal) -> AnyNDArray {
    let name = ClassicalModel.inputName
    guard call.inputs.count == 1 else {
      let sent = call.inputs.keys.sorted()
      let extra = sent.filter { $0 != name }.joined(separator: ",")
      throw Refusal(
        .invalidArgument,
        "input size does not match signature: \(sent.count)!=1 "
          + "len({\(sent.joined(separator: ","))}) != len({\(name)}). Sent extra: {\(extra)}. "
          + "Missing but required: {\(sent.contains(name) ? "" : name)}.")
    }
    guard let input = call.inputs[name] else {
      throw Refusal(
        .invalidArgument,
        "input tensor alias not found in signature: \(call.inputs.keys.first ?? ""). "
          + "Inputs expected to be in the set {\(name)}.")
    }
    return input
  }

  private static func outputs(of call: PredictCall) throws(Refusal) -> [Int] {
    let names = ClassicalModel.outputNames
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

  /// `[row, column]`
  func tile(_ index: Int) -> NDArray<Float> { tiles.slice(index).channel(0) }

  /// The wanted outputs by name, `[tile, row, column, 1]`.
  ///
  /// - Parameter heads: for each tile all of its maps, `[row, column]`.
  func outputs(_ heads: [[NDArray<Float>]]) -> [String: AnyNDArray] {
    var outputs: [String: AnyNDArray] = [:]
    for index in wanted {
      let stacked = NDArray<Float>(uninitialized: tiles.shape) { output in
        for (tile, maps) in heads.enumerated() {
          maps[index].withUnsafeBuffer {
            _ = output[(tile * $0.count)...].update(fromContentsOf: $0)
          }
        }
      }
      outputs[ClassicalModel.outputNames[index]] = AnyNDArray(stacked)
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
