import ChaosJobs
import Foundation
import JobQueue
import RedisClient

/// What must hold once a round has come to rest.
struct Checks: Sendable {
  let round: Round
  let history: History

  var stage: Stage { round.stage }
  var failures: Failures { round.stage.failures }

  func run() async throws {
    var referenced: Set<String> = []
    for job in round.ledger.all { try await check(job, &referenced) }
    for (key, events) in history.events where round.ledger[key] == nil {
      failures.add("events of a stranger: \(events)", job: key)
    }
    checkResults(referenced)
    for (queue, names) in history.miscounted {
      failures.add("the counts of \(queue) are not those of its events: \(names)")
    }
    CallbackChecks(self).run()
    try await KeyChecks(self).run()
    for (name, count) in history.counts { stage.tally.add("event \(name)", count) }
    for name in ["refused", "healed", "lost", "gone"] {
      stage.tally.add("counted \(name)", history.statistics[name, default: 0])
    }
  }

  // MARK: Jobs

  private func check(_ job: TrackedJob, _ referenced: inout Set<String>) async throws {
    let hash: [String: String] = try await stage.redis.command("HGETALL", job.key).decode()
    let events = history.events[job.key] ?? []
    guard job.isAccepted else { return checkUnpromised(job, hash, events) }
    stage.tally.add("jobs accepted")
    if job.isGone {
      stage.tally.add("jobs removed by clients")
      return failures.expect(hash.isEmpty, "its hash was made again: \(hash)", job: job.key)
    }
    guard let end = job.end else {
      return failures.add("it has not ended: \(hash)", job: job.key)
    }
    stage.tally.add("jobs \(end.status)")
    failures.expect(
      hash[Field.status] == end.status && hash[Field.finishedAt] == end.finishedAt,
      "its end has changed from \(end) to \(hash)", job: job.key)
    checkEvents(job, end, events)
    checkOutcome(job, end, events)
    if end.status == "done" { checkResult(job, end, hash, &referenced) }
  }

  /// A submission without an answer, or one that a failover lost: it is there with all that is
  /// promised, or not at all.
  private func checkUnpromised(
    _ job: TrackedJob, _ hash: [String: String], _ events: [History.Event]
  ) {
    if job.parent == nil {
      stage.tally.add(job.isSubmitted ? "submissions lost" : "submissions unknown")
      failures.expect(
        !job.isSubmitted || !round.losses.areImpossible, "it was lost without a failover",
        job: job.key)
    }
    // A foreign producer may have got as far as the hash.
    let isStub = hash[Field.status] == "new" && !events.contains { $0.name == "started" }
    failures.expect(
      hash.isEmpty || isStub || job.end != nil, "it was not accepted and is there: \(hash)",
      job: job.key)
  }

  private func checkEvents(
    _ job: TrackedJob, _ end: TrackedJob.End, _ events: [History.Event]
  ) {
    let ends = events.count(where: \.isEnd)
    failures.expect(
      ends == 1 + end.requeued,
      "it ended \(ends) times and was let run again \(end.requeued) times",
      job: job.key)
    for (event, next) in zip(events, events.dropFirst()) where event.isEnd {
      failures.expect(next.name == "requeued", "\(next) came after its end", job: job.key)
    }
    let name =
      end.status == "done" ? "done" : end.errorCode == "canceled" ? "canceled" : "failed"
    failures.expect(
      events.last?.name == name,
      "its hash says \(end), its last event \(events.last, default: "-")",
      job: job.key)
    let executions = events.count { $0.name == "started" }
    stage.tally.add("executions", executions)
    stage.tally.add("jobs executed more than once", executions > 1 ? 1 : 0)
  }

  private func checkOutcome(
    _ job: TrackedJob, _ end: TrackedJob.End, _ events: [History.Event]
  ) {
    let outcome = end.status == "done" ? "done" : end.errorCode
    stage.tally.add("outcome \(outcome)")
    switch outcome {
    case "canceled":
      failures.expect(mayBeCanceled(job), "nobody has cancelled it: \(end)", job: job.key)
    case "lost_worker":
      let lost = History.lostWorkers(events)
      failures.expect(
        lost >= Stage.crashLimit, "it was given up after \(lost) lost workers: \(end)",
        job: job.key)
    default:
      failures.expect(
        outcome == job.task.kind.outcome,
        "a job that is \(job.task.text) became \(end)", job: job.key)
    }
  }

  /// Also one whose parent has ended or is gone.
  private func mayBeCanceled(_ job: TrackedJob) -> Bool {
    if job.wasCanceled { return true }
    guard let parent = job.parent.flatMap({ round.ledger[$0] }) else { return false }
    return parent.wasCanceled || parent.requeues > 0 || parent.task.kind == .hasty
      || parent.end?.status != "done"
  }

  private func checkResult(
    _ job: TrackedJob, _ end: TrackedJob.End, _ hash: [String: String],
    _ referenced: inout Set<String>
  ) {
    failures.expect(
      referenced.insert(end.object).inserted, "its result \(end.object) is another's too",
      job: job.key)
    guard let bytes = stage.read(end.object) else {
      return failures.add("its result \(end.object) is missing", job: job.key)
    }
    if job.task.kind == .picture {
      // An archive names its files in clear text.
      let name = job.input.replacing(".npy", with: "_feature_0.tif")
      return failures.expect(
        bytes.range(of: Data(name.utf8)) != nil, "its result has no file \(name)", job: job.key)
    }
    let text = String(decoding: bytes, as: UTF8.self)
    guard let result = ChaosResult(text) else {
      return failures.add("its result is \(text)", job: job.key)
    }
    failures.expect(
      result.job == job.key && result.input == job.input, "its result is \(text)", job: job.key)
    guard job.task.kind.isParent else { return }
    let keys = (hash[Field.children] ?? "").split(separator: ",").map(String.init)
    failures.expect(
      result.children.map(\.key) == keys && keys.count == job.childTasks.count,
      "its result is of other children than \(keys): \(text)", job: job.key)
    // What it saw of children that had ended is how they ended.
    for child in result.children {
      guard let end = round.ledger[child.key]?.end else {
        failures.add("nothing is known of its child \(child)", job: job.key)
        continue
      }
      let hadEnded = ["done", "failed"].contains(child.status)
      failures.expect(
        !hadEnded && job.task.kind == .hasty
          || child.status == end.status && (end.status != "done" || child.object == end.object),
        "its child was \(child) to it and is \(end)", job: job.key)
    }
  }

  private func checkResults(_ referenced: Set<String>) {
    let orphans = stage.results.filter { !referenced.contains($0) }.count
    stage.tally.add("results of executions that did not count", orphans)
    if round.isCalm, history.counts["requeued"] == nil {
      failures.expect(orphans == 0, "\(orphans) results that nobody refers to")
    }
  }
}

extension ChaosTask.Kind {
  /// How a job ends to which nothing is done.
  var outcome: String {
    switch self {
    case .plain, .slow, .stubborn, .silent, .passing, .parent, .hasty, .picture: "done"
    case .wrong: "invalid_input"
    case .hopeless: "storage"
    case .overdue: "timeout"
    case .poison: "lost_worker"
    }
  }
}
