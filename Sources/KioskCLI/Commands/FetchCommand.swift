import ArgumentParser
import JobQueue

struct FetchCommand: KioskCommand {
  static let configuration = CommandConfiguration(
    commandName: "fetch", abstract: "Bring back the results of jobs that are done.",
    discussion: "Example: kiosk fetch $(cat jobs.txt) -o results --csv --geojson")

  @Argument(help: ArgumentHelp("Keys of jobs.", valueName: "job")) var jobs: [String]
  @OptionGroup(title: "Results") var results: ResultOptions
  @OptionGroup(title: "Waiting") var time: TimeOptions
  @OptionGroup(title: "Waiting") var expiry: ExpiryOptions
  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  /// Results fetched at a time.
  private static let concurrency = 4

  func run(_ console: Console) async throws {
    let folder = try ResultFolder(results.output)
    let ledger = JobLedger()
    let board = ProgressBoard(console)
    try await Session.run(connection) { session in
      let report = JobReport(console: console, board: board, ledger: ledger, redis: session.redis)
      let delivery = ResultDelivery(
        fetcher: ResultFetcher(
          bucket: try session.openBucket(), folder: folder, options: results),
        report: report, expire: expiry.expire)
      try await board.whileShown {
        try await withLimit(time.limit) {
          try await forEach(jobs.uniqued().asStream, atMost: Self.concurrency) { key in
            try await fetch(key, session, report, delivery)
          }
        }
      }
    }
    try ledger.conclude()
  }

  private func fetch(
    _ key: String, _ session: Session, _ report: JobReport, _ delivery: ResultDelivery
  ) async throws {
    let job = try await Job.read(key, session.redis)
    switch job.status {
    case _ where job.fields[Field.status] == nil:
      report.tellError(of: key, name: key, JobReport.noSuchJob)
    case .done:
      await report.tellChildren(of: job)
      let line = report.addLine(for: job, .downloading)
      return try await delivery.deliver(job, line: line, input: nil)
    case .failed:
      report.tellFailure(of: job)
      await report.expire(job, after: expiry.expire)
    default:
      report.tellError(
        of: key, name: job.originalName,
        "not done yet (\(job.status.rawValue.printable)); wait for it with: kiosk watch JOB")
    }
    report.ledger.noteFailure()
  }
}
