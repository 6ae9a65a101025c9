import Synchronization

/// Makes running operations tell at regular times how far they are, also when nothing moves.
///
/// One task does it for all: a timer for each would take longer than to fetch a small object.
final class ProgressTicker: Sendable {
  static let shared = ProgressTicker()

  /// A silent job is taken for dead and given to another worker.
  private static let interval: Duration = .seconds(4)

  private struct State {
    var operations: [ObjectIdentifier: StoreOperation] = [:]
    var isTicking = false
  }

  private let state = Mutex(State())

  func add(_ operation: StoreOperation) {
    let isFirst = state.withLock { state in
      state.operations[ObjectIdentifier(operation)] = operation
      defer { state.isTicking = true }
      return !state.isTicking
    }
    // Not structured: it outlives the operation that comes first, and ends after the last.
    if isFirst { Task.detached { await self.tick() } }
  }

  func remove(_ operation: StoreOperation) {
    state.withLock { $0.operations[ObjectIdentifier(operation)] = nil }
  }

  private func tick() async {
    while true {
      try? await Task.sleep(for: Self.interval)
      let operations = state.withLock { state in
        state.isTicking = !state.operations.isEmpty
        return Array(state.operations.values)
      }
      if operations.isEmpty { return }
      for operation in operations { operation.tellProgress() }
    }
  }
}
