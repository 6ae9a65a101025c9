import JobQueue

/// What surrounds a ``ConsumerService``, and how patient it is.
package struct ServiceOptions: Sendable {
  /// How long a process may be idle beside a queue that is not, before it counts as hung.
  package var hangLimit: Duration
  /// Called once when it does. The process is to end, since nothing in it can be trusted.
  package var onHang: @Sendable () -> Void
  /// How long jobs wait for a model server before another job is taken to see whether it works by now.
  package var probeInterval: Duration
  /// Called after the end of a job whose client wants to be called back.
  package var onCallback: @Sendable () -> Void
  /// Called once the process has had nothing to do for some seconds, after it had: the time to tidy up.
  package var onIdle: @Sendable () -> Void
  /// Takes up to a number of jobs.
  package var claim: @Sendable (JobQueue, Int) async throws -> Claim

  package init(
    hangLimit: Duration = .seconds(30), onHang: @escaping @Sendable () -> Void = {},
    probeInterval: Duration = .seconds(60), onCallback: @escaping @Sendable () -> Void = {},
    onIdle: @escaping @Sendable () -> Void = {},
    claim: @escaping @Sendable (JobQueue, Int) async throws -> Claim = { queue, count in
      try await queue.claim(upTo: count)
    }
  ) {
    self.hangLimit = hangLimit
    self.onHang = onHang
    self.probeInterval = probeInterval
    self.onCallback = onCallback
    self.onIdle = onIdle
    self.claim = claim
  }
}
