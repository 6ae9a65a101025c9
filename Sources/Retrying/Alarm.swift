import Synchronization

/// Wakes the one task that waits for it, or the next that does.
package final class Alarm: Sendable {
  private struct State {
    var isRung = false
    var sleeper: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  package init() {}

  package func ring() {
    let sleeper = state.withLock { state in
      defer { state.sleeper = nil }
      state.isRung = state.sleeper == nil
      return state.sleeper
    }
    sleeper?.resume()
  }

  /// Returns when it rings, when the time is over or the task is cancelled.
  package func wait(atMost limit: Duration) async {
    await withTaskGroup { group in
      group.addTask { await self.waitForRing() }
      group.addTask { try? await Task.sleep(for: limit) }
      await group.next()
      group.cancelAll()
    }
  }

  private func waitForRing() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { sleeper in
        let isOver = state.withLock { state in
          if state.isRung || Task.isCancelled {
            state.isRung = false
            return true
          }
          state.sleeper = sleeper
          return false
        }
        if isOver { sleeper.resume() }
      }
    } onCancel: {
      state.withLock { state in
        defer { state.sleeper = nil }
        return state.sleeper
      }?.resume()
    }
  }
}
