import Synchronization

/// Work that goes on after the call it belongs to was cancelled.
///
/// A cancelled call returns at once; what it leaves in the store is removed meanwhile, and
/// ``finish()`` waits for that.
final class CleanUps: Sendable {
  private struct State {
    var tasks: [Int: Task<Void, Never>] = [:]
    var next = 0
  }

  private let state = Mutex(State())

  init() {}

  /// Starts something that ends by itself.
  @discardableResult
  func start(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
    state.withLock { state in
      let number = state.next
      state.next += 1
      // Not a child of the call, whose cancellation must not end it.
      let task = Task {
        await body()
        self.state.withLock { $0.tasks[number] = nil }
      }
      state.tasks[number] = task
      return task
    }
  }

  /// Returns when nothing is left to do.
  func finish() async {
    while let task = state.withLock({ $0.tasks.values.first }) { await task.value }
  }
}

extension Task where Failure == any Error {
  /// The task's result, for a caller that may be cancelled while the task goes on.
  func valueUnlessCancelled() async throws -> Success {
    let (results, result) = AsyncThrowingStream<Success, any Error>.makeStream()
    // Not a child, which would be waited for.
    let waiting = Task<Void, Never> {
      do {
        result.yield(try await self.value)
        result.finish()
      } catch { result.finish(throwing: error) }
    }
    defer { withExtendedLifetime(waiting) {} }
    for try await value in results { return value }
    throw Swift.CancellationError()
  }

  /// The task's result; cancels it after a while.
  func value(within limit: Duration) async throws -> Success {
    let alarm = Task<Void, any Error> {
      try await Task<Never, Never>.sleep(for: limit)
      self.cancel()
    }
    defer { alarm.cancel() }
    return try await value
  }
}

extension Task<Void, Never> {
  /// Returns when the task ends, or `grace` after the caller was cancelled.
  func wait(afterCancellation grace: Duration) async {
    let (ends, end) = AsyncStream<Void>.makeStream()
    // Not children: those of a cancelled task would not wait at all.
    Task<Void, Never> {
      await self.value
      end.finish()
    }
    await withTaskCancellationHandler {
      // In a task of its own, which a cancelled caller does not keep from waiting.
      await Task<Void, Never> { for await _ in ends {} }.value
    } onCancel: {
      Task<Void, Never> {
        try? await Task<Never, Never>.sleep(for: grace)
        end.finish()
      }
    }
  }
}
