import RedisClient

/// What was done about a job that nobody looked after.
package struct Recovery: Sendable, Equatable {
  package let job: String
  /// Such as `requeued`, `released`, `crashed` or `limbo`: see the heads of the scripts.
  package let what: String

  /// Whether the job is in its queue again.
  package var isBack: Bool { what == "requeued" || what == "released" }
}

extension JobQueue {
  /// Puts jobs in this worker's list that it does not work on back to the queue.
  ///
  /// To be called before the first claim, for what an earlier process of this name left behind, and
  /// after a claim whose outcome is unknown.
  /// - Parameter held: the keys of the jobs in work.
  package func recover(except held: [String] = []) async throws -> [Recovery] {
    try recoveries(try await run(Scripts.recover, keys: [name] + held, arguments: []))
  }

  /// Takes jobs from workers that are lost. To be called by every process, every few seconds with
  /// jitter: one of them works each time.
  ///
  /// - Parameter interval: for how long one call suffices; zero: this one works in any case.
  package func reap(every interval: Duration = .seconds(2)) async throws -> [Recovery] {
    try recoveries(
      try await run(Scripts.reap, keys: [name], arguments: [interval.wholeMilliseconds]))
  }

  /// Compares lists with leases and parents with children. To be called every minute.
  package func reconcile() async throws -> [Recovery] {
    var found: [Recovery] = []
    // Each call does a bounded part; the bound here is for a parent of very many children.
    for _ in 0..<100 {
      let reply = try await run(Scripts.reconcile, keys: [name], arguments: [])
      guard let parts = reply.array, let more = parts.first?.integer else {
        throw unexpected(reply)
      }
      found += try recoveries(.array(Array(parts.dropFirst())))
      if more == 0 { break }
    }
    return found
  }

  private func recoveries(_ reply: RedisValue) throws -> [Recovery] {
    try pairs(reply).map { Recovery(job: $0.job, what: $0.what) }
  }
}
