import RedisClient
import TestSupport

/// What becomes of jobs when their workers die or are stopped and when somebody cancels them, and
/// what delivery costs when there is nothing to do: the built `consume-redis-events` with a Redis of
/// its own. Each figure stands beside its goal. Takes about four minutes, most of them waiting.
@main
struct DeliveryBenchmark {
  static func main() async throws {
    row("quantity", "measured", "goal")
    try await measure("recovery", Recovery.measure)
    try await measure("cancellation", Cancelling.measure)
    try await measure("idle", Idle.measure)
    try await measure("memory", Memory.measure)
  }

  /// Gives each measurement a server of its own, so that none sees what another left.
  private static func measure(_ name: String, _ body: (Stage) async throws -> Void) async throws {
    let arguments = CommandLine.arguments.dropFirst()
    guard arguments.isEmpty || arguments.contains(name) else { return }
    let stage = try await Stage()
    do {
      try await RedisClient.withClient(stage.server.configuration) { redis in
        try await body(stage.connected(by: redis))
      }
    } catch {
      await stage.end()
      throw error
    }
    await stage.end()
  }
}

/// One line of the table.
func row(_ quantity: String, _ measured: String, _ goal: String) {
  print(quantity.padded(62) + measured.padded(24) + goal)
}

extension String {
  fileprivate func padded(_ width: Int) -> String {
    self + String(repeating: " ", count: max(1, width - count))
  }
}

extension Duration {
  var text: String {
    let milliseconds = self / .milliseconds(1)
    if milliseconds < 10 { return "\((milliseconds * 10).rounded() / 10) ms" }
    return milliseconds < 1000
      ? "\(Int(milliseconds.rounded())) ms" : "\(milliseconds.rounded() / 1000) s"
  }
}
