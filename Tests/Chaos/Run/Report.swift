import JobQueue
import RedisClient

/// Says what was found, so that it can be understood and had again.
struct Report: Sendable {
  private let round: Round

  private static let limit = 8

  init(_ round: Round) { self.round = round }

  func printFailures() async {
    let stage = round.stage
    let failures = stage.failures.all
    say(
      "FAILED in round \(round.number) with seed \(stage.options.seed): \(failures.count) findings")
    for failure in failures.prefix(Self.limit) {
      say("- \(failure.job.map { "\($0): " } ?? "")\(failure.what)")
    }
    var shown: Set<String> = []
    for job in failures.compactMap(\.job) where shown.insert(job).inserted {
      if shown.count > Self.limit { break }
      await describe(job)
    }
    for failure in failures.dropFirst(Self.limit) {
      say("- \(failure.job.map { "\($0): " } ?? "")\(failure.what)")
    }
  }

  private func describe(_ job: String) async {
    say("\n\(job): \(round.ledger[job].map { "\($0)" } ?? "not a job of the test")")
    for queue in Stage.queues {
      let entries = try? await round.stage.redis.command("XRANGE", Keys.events(of: queue), "-", "+")
      for entry in entries?.array ?? [] {
        let text = "\(entry)"
        if text.contains(job) { say("  event in \(queue): \(text)") }
      }
    }
    if let hash = try? await round.stage.redis.command("HGETALL", job) { say("  hash: \(hash)") }
    if let control = try? await round.stage.redis.command("HGETALL", Keys.control(of: job)) {
      say("  control: \(control)")
    }
    for line in await round.stage.fleet.lines(about: job).suffix(60) { say("  \(line)") }
  }

  static func printSummary(_ stage: Stage, duration: Duration) {
    let verdict = stage.failures.isEmpty ? "passed" : "FAILED"
    say(
      "\(verdict): seed \(stage.options.seed), \(stage.options.jobs) jobs, "
        + "\(duration.components.seconds) s")
    say(stage.tally.text.replacing(", ", with: "\n  "))
  }
}
