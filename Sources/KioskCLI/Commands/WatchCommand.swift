import ArgumentParser
import JobQueue

struct WatchCommand: KioskCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch", abstract: "Show the progress of jobs until all have ended.",
    discussion: "Example: kiosk watch $(cat jobs.txt) --timeout 600")

  @Argument(help: ArgumentHelp("Keys of jobs.", valueName: "job")) var jobs: [String]
  @OptionGroup(title: "Waiting") var time: TimeOptions
  @OptionGroup(title: "Waiting") var expiry: ExpiryOptions
  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func run(_ console: Console) async throws {
    let ledger = JobLedger()
    let board = ProgressBoard(console)
    try await Session.run(connection) { session in
      let report = JobReport(console: console, board: board, ledger: ledger, redis: session.redis)
      let watcher = JobWatcher(session.redis, board, onChange: report.tellChange)
      var found: [Job] = []
      for key in jobs.uniqued() {
        let job = try await Job.read(key, session.redis)
        if job.fields[Field.status] != nil {
          found.append(job)
        } else {
          report.tellError(of: key, name: key, JobReport.noSuchJob)
          ledger.noteFailure()
        }
      }
      let waiting = found.filter { $0.status == .new }.map(\.key)
      let positions = try await QueuePosition.find(waiting, session.redis)
      for job in found {
        ledger.open(job.key)
        let stage = job.progress(position: positions[job.key]).stage
        watcher.add(.init(key: job.key, line: report.addLine(for: job, stage)))
      }
      watcher.complete()
      try await board.whileShown {
        try await accounting(for: ledger, console, limit: time.limit) {
          try await watcher.run { watched, end in
            await report.tellEnd(of: watched, end)
            if case .final(let job) = end {
              board.update(watched.line, job.progress())
              await report.expire(job, after: expiry.expire)
            }
            ledger.close(watched.key, failed: end.isFailure)
          }
        }
      }
    }
  }
}

extension Sequence where Element: Hashable {
  /// Each element once, in order of its first place.
  func uniqued() -> [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}
