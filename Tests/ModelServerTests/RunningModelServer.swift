import Arrays
import Serving
import TestSupport

/// The built `kiosk-model-server` on a free port, and a client that does not retry.
struct RunningModelServer {
  let process: ChildProcess
  let client: ServingClient
  let port: Int

  static let nuclei = ModelName(name: "NuclearSegmentation", version: 6)

  static func start(_ arguments: String...) async throws -> RunningModelServer {
    let process = try await ChildProcess.start(
      BuiltProduct.path("kiosk-model-server"), ["--port", "0"] + arguments)
    let status = try await process.wait(forOutput: "listening on")
    let line = status.standardOutput.split(whereSeparator: \.isNewline).last ?? ""
    guard let port = line.split(separator: ":").last.flatMap({ Int($0) }) else {
      throw TestSupportError("no port in \(status.standardOutput)")
    }
    var configuration = ServingConfiguration()
    configuration.host = "127.0.0.1"
    configuration.port = port
    configuration.maximumRetries = 0
    configuration.waitTimeout = .zero
    return RunningModelServer(process: process, client: ServingClient(configuration), port: port)
  }

  func predict(
    _ input: AnyNDArray, named name: String = "input_0", model: ModelName = nuclei,
    outputs: OutputSelection = .all
  ) async throws -> [String: AnyNDArray] {
    try await client.predict(model: model, inputs: [name: input], outputs: outputs)
  }
}

/// Tiles of bright discs on a dark, slightly noisy ground.
enum Discs {
  static let centres = [(40, 50), (60, 150), (128, 128), (200, 60), (190, 200)]
  static let radius = 9.0

  static func tiles(_ count: Int = 1, side: Int = 256) -> NDArray<Float> {
    var generator = SeededGenerator(seed: 7)
    return NDArray(uninitialized: [count, side, side, 1]) { output in
      for i in output.indices {
        let (row, column) = (i / side % side, i % side)
        let isBright = centres.contains { y, x in
          let (dy, dx) = (Double(row - y), Double(column - x))
          return dy * dy + dx * dx <= radius * radius
        }
        output[i] = (isBright ? 0.8 : 0.1) + Float.random(in: 0...0.05, using: &generator)
      }
    }
  }
}
