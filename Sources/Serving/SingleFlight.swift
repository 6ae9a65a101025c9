import Synchronization

/// Joins equal requests made at the same time into one. A request goes on as long as someone waits
/// for it.
final class SingleFlight<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private struct Flight {
    let number: UInt64
    let task: Task<Void, Never>
    var waiters: [UInt64: CheckedContinuation<Value, any Error>]
  }

  private struct State {
    var flights: [Key: Flight] = [:]
    var nextID: UInt64 = 0
  }

  private let state = Mutex(State())

  /// The result of the request for `key` in flight, or of `body`, which then becomes it.
  ///
  /// - Throws: what the request threw, or `CancellationError` when this task is cancelled.
  func run(
    _ key: Key, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        state.withLock { state in
          if state.flights[key] != nil {
            state.flights[key]?.waiters[id] = continuation
            return
          }
          // Unstructured: it belongs to all who wait, not to the first. The last to leave cancels it.
          let task = Task { await self.land(key, number: id, Result(catching: body)) }
          state.flights[key] = Flight(number: id, task: task, waiters: [id: continuation])
        }
        // The handler may have run before the waiter was there.
        if Task.isCancelled { leave(key, id) }
      }
    } onCancel: {
      leave(key, id)
    }
  }

  /// How many wait for the request for `key` in flight.
  func waiterCount(_ key: Key) -> Int { state.withLock { $0.flights[key]?.waiters.count ?? 0 } }

  private func land(_ key: Key, number: UInt64, _ result: Result<Value, any Error>) {
    let waiters = state.withLock {
      state -> Dictionary<UInt64, CheckedContinuation<Value, any Error>>.Values? in
      guard let flight = state.flights[key], flight.number == number else { return nil }
      state.flights[key] = nil
      return flight.waiters.values
    }
    for waiter in waiters ?? [:].values { waiter.resume(with: result) }
  }

  private func leave(_ key: Key, _ id: UInt64) {
    let (continuation, task) = state.withLock {
      state -> (CheckedContinuation<Value, any Error>?, Task<Void, Never>?) in
      guard let continuation = state.flights[key]?.waiters.removeValue(forKey: id) else {
        return (nil, nil)
      }
      guard state.flights[key]?.waiters.isEmpty == true else { return (continuation, nil) }
      return (continuation, state.flights.removeValue(forKey: key)?.task)
    }
    continuation?.resume(throwing: CancellationError())
    task?.cancel()
  }
}

extension Result where Failure == any Error {
  fileprivate init(catching body: () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}
