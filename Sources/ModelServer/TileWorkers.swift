import Executors
import Synchronization

/// Threads that analyse tiles, and a limit to how many tiles wait for them.
final class TileWorkers: Sendable {
  private let threads: [ThreadExecutor]
  private let waitingLimit: Int
  private let next = Atomic(0)
  private let waiting = Atomic(0)

  init(threads: Int, waitingLimit: Int) {
    self.threads = (1...threads).map { ThreadExecutor(label: "tiles \($0)") }
    self.waitingLimit = waitingLimit
  }

  /// Analyses `count` tiles on all threads; nil if too many are waiting already.
  func map<Result: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Int) throws -> Result
  ) async throws -> [Result]? {
    let waitingNow = waiting.add(count, ordering: .relaxed).newValue
    defer { waiting.subtract(count, ordering: .relaxed) }
    guard waitingNow <= max(waitingLimit, count) else { return nil }
    return try await withThrowingTaskGroup(of: (Int, Result).self) { group in
      for index in 0..<count {
        let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
        group.addTask(executorPreference: threads[number % threads.count]) {
          try Task.checkCancellation()
          return (index, try body(index))
        }
      }
      var results = [Result?](repeating: nil, count: count)
      for try await (index, result) in group { results[index] = result }
      return results.compactMap { $0 }
    }
  }
}
