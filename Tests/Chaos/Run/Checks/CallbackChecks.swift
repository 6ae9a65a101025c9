import JobQueue

/// What receivers were told must be what happened.
///
/// Each end is told to each URL at least once, under one id and always with the same words. Twice
/// only after a sender died or was frozen. Ends that were lost with a primary may have been told too.
struct CallbackChecks {
  private let checks: Checks
  private let deliveries: [String: [CallbackReceiver.Delivery]]

  init(_ checks: Checks) {
    self.checks = checks
    deliveries = checks.stage.receiver.deliveries
  }

  private var failures: Failures { checks.failures }
  private var tally: Tally { checks.stage.tally }

  func run() {
    var byJob: [String: Set<String>] = [:]
    for (id, told) in deliveries {
      for delivery in told { byJob[delivery.fields["job"] ?? "", default: []].insert(id) }
    }
    for (job, ids) in byJob where checks.round.ledger[job] == nil {
      failures.add("callbacks of a stranger: \(ids)", job: job)
    }
    for job in checks.round.ledger.all where job.isAccepted && !job.isGone && job.requeues == 0 {
      check(job, told: byJob[job.key] ?? [])
    }
  }

  private func check(_ job: TrackedJob, told: Set<String>) {
    guard let end = job.end else { return }
    let name =
      end.status == "done" ? "done" : end.errorCode == "canceled" ? "canceled" : "failed"
    let expected = (0..<job.callbacks).map { "\(job.key):\(name)" + ($0 > 0 ? ":\($0 + 1)" : "") }
    for id in expected {
      let bodies = deliveries[id] ?? []
      let isTold = bodies.contains { $0.fields["finished_at"] == end.finishedAt }
      failures.expect(
        isTold, "its end \(end) was not told as \(id): \(bodies.map(\.body))", job: job.key)
      for delivery in bodies {
        let isThisEnd =
          delivery.fields["finished_at"] == end.finishedAt
          && delivery.fields["status"] == end.status
          && delivery.fields["output_url"] ?? "" == end.url
          && delivery.fields["reason"] ?? "" == end.reason
        if !isThisEnd { expectLost(delivery, job) }
      }
      let repeats = bodies.count - Set(bodies.map(\.body)).count
      tally.add("callbacks told", bodies.count)
      tally.add("callbacks told again with the same words", repeats)
      if checks.round.isCalm {
        failures.expect(repeats == 0, "\(id) was told \(bodies.count) times", job: job.key)
      }
    }
    for id in told.subtracting(expected) {
      for delivery in deliveries[id] ?? [] { expectLost(delivery, job) }
    }
  }

  /// Something that is not true any more must have been told when a primary was replaced.
  private func expectLost(_ delivery: CallbackReceiver.Delivery, _ job: TrackedJob) {
    tally.add("callbacks of ends that a failover lost")
    failures.expect(
      checks.round.losses.mayHaveLost(delivery.time),
      "a receiver was told what did not happen: \(delivery.body)", job: job.key)
  }
}
