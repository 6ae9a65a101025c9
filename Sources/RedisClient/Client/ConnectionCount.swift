import Synchronization

/// Numbers the connections that commands have had, one after the other.
final class ConnectionCount: Sendable {
  private struct State {
    var number = 0
    var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    var nextWaiter = 0
  }

  private let state = Mutex(State())

  var number: Int { state.withLock { $0.number } }

  func increment() {
    let waiters = state.withLock { state in
      defer { state.waiters = [:] }
      state.number += 1
      return state.waiters.values
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Returns once the number is greater, or the task is cancelled.
  func wait(after number: Int) async {
    let id = state.withLock { state in
      defer { state.nextWaiter += 1 }
      return state.nextWaiter
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { waiter in
        let isOver = state.withLock { state in
          if state.number > number || Task.isCancelled { return true }
          state.waiters[id] = waiter
          return false
        }
        if isOver { waiter.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
    }
  }
}

extension RedisClient {
  /// How often commands have got a connection.
  ///
  /// A command that is sent after this was read goes over that connection or a later one. What an
  /// earlier one wrote may be missing by now: another server may be the primary, or the same may have
  /// been started from an older file.
  public var connectionNumber: Int { connectionCount.number }

  /// Waits until ``connectionNumber`` is greater than `number`, or the task is cancelled.
  ///
  /// - Returns: the number by then.
  public func connection(after number: Int) async -> Int {
    await connectionCount.wait(after: number)
    return connectionNumber
  }
}
