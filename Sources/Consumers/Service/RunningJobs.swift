import JobQueue
import Synchronization

/// The jobs this process has in hand, what their heartbeats say, and the way to stop each.
final class RunningJobs: Sendable {
  private struct Entry {
    let token: OwnerToken
    /// When it was last certain that the job is this process's: before the question was sent.
    var confirmed: ContinuousClock.Instant
    /// Nil until a slot has begun with the job.
    var execution: (run: JobRun, stop: @Sendable () -> Void)?
  }

  private struct State {
    var entries: [String: Entry] = [:]
    /// Set once everything is to stop, also what begins later.
    var stopCause: JobRun.StopCause?
  }

  private let state = Mutex(State())

  var count: Int { state.withLock { $0.entries.count } }
  var isEmpty: Bool { count == 0 }

  /// The keys of all jobs in hand.
  var keys: [String] { state.withLock { Array($0.entries.keys) } }

  /// What a heartbeat is to say of each job.
  var beats: [JobBeat] {
    let now = ContinuousClock.now
    return state.withLock { state in
      state.entries.map { key, entry in
        let silence = entry.execution.map { $0.run.lastSign.duration(to: now) } ?? .zero
        return JobBeat(job: key, token: entry.token, silence: silence)
      }
    }
  }

  /// Notes jobs that were claimed by a call sent at `time`.
  func hold(_ jobs: [ClaimedJob], since time: ContinuousClock.Instant) {
    state.withLock { state in
      for job in jobs { state.entries[job.key] = Entry(token: job.token, confirmed: time) }
    }
  }

  /// Notes that a heartbeat sent at `time` was answered for these jobs.
  func confirm(_ beats: [JobBeat], at time: ContinuousClock.Instant) {
    state.withLock { state in
      for beat in beats where state.entries[beat.job]?.token == beat.token {
        state.entries[beat.job]?.confirmed = time
      }
    }
  }

  /// Stops the work on jobs that have not been confirmed for longer than `limit`: they may be
  /// another's soon.
  ///
  /// - Returns: their keys.
  func stopUnconfirmed(for limit: Duration) -> [String] {
    let now = ContinuousClock.now
    let keys = state.withLock { state in
      state.entries.filter { $0.value.confirmed.duration(to: now) > limit }.map(\.key)
    }
    return keys.filter { stop($0, because: .lostContact) }
  }

  /// Notes that work on a held job begins, and how to stop it.
  func begin(_ run: JobRun, stop: @escaping @Sendable () -> Void) {
    let cause = state.withLock { state in
      state.entries[run.job.key]?.execution = (run, stop)
      return state.stopCause
    }
    if let cause {
      run.stop(because: cause)
      stop()
    }
  }

  /// Notes that nothing of a job is left in this process.
  func remove(_ job: ClaimedJob) {
    state.withLock { state in
      // It may have come back already, under another token.
      if state.entries[job.key]?.token == job.token { state.entries[job.key] = nil }
    }
  }

  /// Stops the work on one job; one that is not here is no error, since it may just have ended.
  ///
  /// - Parameter token: of the claim that is meant; nil for any.
  /// - Returns: whether this was the first cause to stop it.
  @discardableResult
  func stop(
    _ key: String, token: OwnerToken? = nil, because cause: JobRun.StopCause
  ) -> Bool {
    let execution = state.withLock { state -> (run: JobRun, stop: @Sendable () -> Void)? in
      guard let entry = state.entries[key], token == nil || token == entry.token else { return nil }
      return entry.execution
    }
    guard let execution else { return false }
    let isFirst = execution.run.stopCause == nil
    execution.run.stop(because: cause)
    execution.stop()
    return isFirst
  }

  /// Stops the work on every job, also on those whose work has not begun.
  func stopAll(because cause: JobRun.StopCause) {
    state.withLock { $0.stopCause = cause }
    for key in keys { stop(key, because: cause) }
  }
}
