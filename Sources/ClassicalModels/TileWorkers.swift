import Executors
import Synchronization

/// Threads that analyse tiles, and a limit to how many tiles may be analysed or wait.
package final class TileWorkers: Sendable {
  private let threads: [ThreadExecutor]
  private let limit: Int
  private let next = Atomic(0)
  private let admitted = Mutex(0)

  package init(threads: Int, limit: Int) {
    self.threads = (1...threads).map { ThreadExecutor(label: "tiles \($0)") }
    self.limit = limit
  }

  /// Images being analysed or waiting.
  var admittedCount: Int { admitted.withLock { $0 } }

  /// Runs `body` with `count` tiles counted as being here, unless that makes too many.
  ///
  /// - Returns: nil when there are too many. A call of more tiles than the limit is let in alone.
  func admitting<Result>(_ count: Int, _ body: () async throws -> Result) async rethrows -> Result?
  {
    let isAdmitted = admitted.withLock { admitted in
      guard admitted == 0 || admitted + count <= limit else { return false }
      admitted += count
      return true
    }
    guard isAdmitted else { return nil }
    defer { admitted.withLock { $0 -= count } }
    return try await body()
  }

  /// Analyses `count` tiles on all threads, in order of their results.
  func map<Result: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Int) throws -> Result
  ) async throws -> [Result] {
    try await withThrowingTaskGroup(of: (Int, Result).self) { group in
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
