import Synchronization

/// The jobs this process has in hand, and the way to stop each.
final class RunningJobs: Sendable {
  private struct Entry {
    /// Nil until a slot has begun with the job.
    var execution: (run: JobRun, stop: @Sendable () -> Void)?
  }

  private struct State {
    var entries: [String: Entry] = [:]
    /// Set once everything is to stop, also what begins later.
    var stopCause: JobRun.StopCause?
  }

  private let state = Mutex(State())

  /// The keys of all jobs in hand.
  var keys: [String] { state.withLock { Array($0.entries.keys) } }

  /// Notes a job that was claimed.
  func hold(_ key: String) {
    state.withLock { $0.entries[key] = Entry() }
  }

  /// Notes that work on a held job begins, and how to stop it.
  func begin(_ run: JobRun, stop: @escaping @Sendable () -> Void) {
    let cause = state.withLock { state in
      state.entries[run.job.key] = Entry(execution: (run, stop))
      return state.stopCause
    }
    if let cause {
      run.stop(because: cause)
      stop()
    }
  }

  /// Notes that nothing of a job is left in this process.
  func remove(_ key: String) {
    state.withLock { $0.entries[key] = nil }
  }

  /// Stops the work on one job; one that is not here is no error, since it may just have ended.
  func stop(_ key: String, because cause: JobRun.StopCause) {
    guard let execution = state.withLock({ $0.entries[key]?.execution }) else { return }
    execution.run.stop(because: cause)
    execution.stop()
  }

  /// Stops the work on every job, also on those whose work has not begun.
  func stopAll(because cause: JobRun.StopCause) {
    state.withLock { $0.stopCause = cause }
    for key in keys { stop(key, because: cause) }
  }
}
