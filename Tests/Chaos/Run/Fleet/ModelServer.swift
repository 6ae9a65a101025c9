import Glibc
import TestSupport

/// The models of `consume-redis-events`, always on the same port.
final class ModelServer: Sendable {
  let port: Int
  private let process = Watched<ChildProcess?>(nil)

  static func start() async throws -> ModelServer {
    let server = ModelServer(port: try freePort())
    try await server.launch()
    return server
  }

  private init(port: Int) { self.port = port }

  private func launch() async throws {
    let child = try await ChildProcess.start(
      BuiltProduct.path("kiosk-model-server"),
      ["--port", "\(port)", "--models", "Pixelwise:1", "--latency-jitter", "0.2"])
    try await child.wait(forOutput: "listening on")
    await process.update { $0 = child }
  }

  /// Ends it at once, and starts it again after a while.
  func kill(for duration: Duration) async throws {
    await process.value?.send(SIGKILL)
    try await process.value?.waitForExit()
    try? await Task.sleep(for: duration)
    try await launch()
  }

  func stop() async throws { try await process.value?.stop() }
}
