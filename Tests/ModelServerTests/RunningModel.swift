import Arrays

@testable import ClassicalModels

extension ClassicalModel {
  /// What the server answers to tiles: all outputs in the order of the signature.
  func answers(_ tiles: NDArray<Float>) throws -> [AnyNDArray] {
    let heads = try (0..<tiles.shape[0]).map { try answer([tiles.slice($0)]) }
    return try outputs.indices.map { index in
      try AnyNDArray.concatenated(heads.map { AnyNDArray($0[index].expandingDimensions(at: 0)) })
    }
  }
}
