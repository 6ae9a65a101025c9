import Synchronization

/// The jobs of this call and how they stand, for the exit code and for what is told when the call
/// ends before them.
final class JobLedger: Sendable {
  private struct State {
    /// Submitted or given, and not dealt with to the end; in order.
    var open: [String] = []
    var hasFailures = false
  }

  private let state = Mutex(State())

  func open(_ key: String) { state.withLock { $0.open.append(key) } }

  /// Notes that nothing remains to be done for a job.
  func close(_ key: String, failed: Bool) {
    state.withLock { state in
      state.open.removeAll { $0 == key }
      if failed { state.hasFailures = true }
    }
  }

  /// Notes a failure that belongs to no job, as a file that could not be sent.
  func noteFailure() { state.withLock { $0.hasFailures = true } }

  /// - Throws: ``KioskError`` `jobFailed` if there was a failure.
  func conclude() throws(KioskError) {
    if state.withLock({ $0.hasFailures }) { throw KioskError(.jobFailed) }
  }

  /// Prints the jobs that go on without this call.
  func tellOpen(_ console: Console, because error: KioskError) {
    let keys = state.withLock { $0.open }
    guard !keys.isEmpty else { return }
    if error.code == .interrupted {
      console.note("interrupted; these jobs go on (see them with: kiosk watch JOB):")
    } else {
      console.note("these jobs go on (see them with: kiosk watch JOB):")
    }
    for key in keys {
      console.result(console.isJSON ? JSONLine("left", ["job": .text(key)]).text : key)
    }
  }
}

/// Runs `body` within the time limit and concludes, or tells which jobs go on without it.
func accounting(
  for ledger: JobLedger, _ console: Console, limit: Duration?,
  _ body: @escaping @Sendable () async throws -> Void
) async throws {
  do {
    try await withLimit(limit, body)
  } catch {
    let error = KioskError(error)
    ledger.tellOpen(console, because: error)
    throw error
  }
  try ledger.conclude()
}
