import Consumers
import JobQueue
import TestSupport

/// Works on each job until the test lets it go on.
final class GatedConsumer: Consumer {
  private struct State {
    var runs: [String: Int] = [:]
    var released: Set<String> = []
  }

  private static let state = Watched(State())

  /// How often work on a job has begun.
  static func runs(of key: String) async -> Int { await state.value.runs[key, default: 0] }

  /// Lets the present and all later runs of a job end.
  static func release(_ key: String) async { await state.update { $0.released.insert(key) } }

  override func consume(_ job: Job) async throws -> JobStatus {
    await Self.state.update { $0.runs[job.key, default: 0] += 1 }
    try await Self.state.wait { $0.released.contains(job.key) }
    if job["fails"] == "yes" { throw JobError(.invalidInput, "as it was told") }
    return .done
  }
}
