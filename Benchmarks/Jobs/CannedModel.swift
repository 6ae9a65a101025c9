import Arrays
import Foundation
import ModelServing
import Serving

/// A model server that answers from memory: every tile holds the same round cells, so that what is
/// measured is the consumer and the connection, not a model.
final class CannedModel: Sendable {
  private let host: ModelServerHost

  var port: Int { host.port }

  /// Pixels of a tile, and between the centres of cells. The stride of tiles is three quarters of
  /// their size, a multiple of the pitch, so that overlapping tiles agree.
  private static let side = 256
  private static let pitch = 24

  init() throws {
    let (distance, interior) = Self.heads
    host = try ModelServerHost(address: "127.0.0.1", port: 0) { call in
      switch call.request {
      case .metadata(let model):
        let image = ModelMetadata.Tensor(
          graphName: "serving_default_input_0:0", type: TensorType(.float32),
          shape: [-1, Self.side, Self.side, 1])
        return .metadata(
          ModelMetadata(inputs: ["input_0": image], outputs: ["semantic": image]), model: model)
      case .predict(let call):
        guard let tiles = call.inputs["input_0"]?.shape.first else {
          return .failure(.invalidArgument, "input_0 is missing")
        }
        return .outputs(
          [
            "semantic": Self.repeated(distance, tiles),
            "semantic_1": Self.repeated(interior, tiles),
          ],
          model: call.model, encoding: .typed)
      default: return .failure(.unimplemented, "not here")
      }
    }
  }

  /// Distance to the cell's edge and membership of a cell, of one tile.
  private static var heads: ([Float], [Float]) {
    let radius = Float(pitch) / 2 - 2
    var distance: [Float] = []
    var interior: [Float] = []
    for row in 0..<side {
      for column in 0..<side {
        let dy = Float(row % pitch) - Float(pitch) / 2
        let dx = Float(column % pitch) - Float(pitch) / 2
        let depth = radius - (dy * dy + dx * dx).squareRoot()
        distance.append(max(depth, 0) / radius)
        interior.append(depth > 0 ? 0.95 : 0.001)
      }
    }
    return (distance, interior)
  }

  private static func repeated(_ tile: [Float], _ count: Int) -> AnyNDArray {
    AnyNDArray(
      NDArray<Float>(uninitialized: [count, side, side, 1]) { buffer in
        for i in 0..<count { _ = buffer[(i * tile.count)...].update(fromContentsOf: tile) }
      })
  }

  func stop() async { await host.stop(grace: .zero) }
}
