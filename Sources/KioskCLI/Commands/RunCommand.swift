import ArgumentParser
import JobQueue

struct RunCommand: KioskCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Send images, wait for them and bring back the results.",
    discussion: """
      Examples:
        kiosk run cells.tif -t segmentation -o results --overlay --csv
        kiosk run plate1 plate2 --recursive -t segmentation -o results --channels 0,1
      """)

  @Argument(
    help: ArgumentHelp("Images, archives of images or, recursively, folders.", valueName: "file"),
    completion: .file())
  var files: [String]
  @OptionGroup(title: "Job") var job: JobOptions
  @OptionGroup(title: "Delivery") var delivery: DeliveryFlags
  @Option(
    help: ArgumentHelp(
      "How long a job may take once it has begun, as 600 or 10m.", valueName: "duration"))
  var jobTimeout: TimeSpan?
  @OptionGroup(title: "Results") var results: ResultOptions
  @OptionGroup(title: "Waiting") var time: TimeOptions
  @OptionGroup(title: "Waiting") var expiry: ExpiryOptions
  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func run(_ console: Console) async throws {
    let files = try InputFile.collect(files, recursive: job.recursive, console)
    try delivery.check(files)
    if job.dryRun { return DryRun.show(files, job, delivery, timeout: jobTimeout, console) }
    let folder = try ResultFolder(results.output, inputs: files.map(\.path))
    let ledger = JobLedger()
    let board = ProgressBoard(console)
    try await Session.run(connection) { session in
      let bucket = try session.openBucket()
      let submitter = JobSubmitter(
        session: session, bucket: bucket, options: job, delivery: delivery, timeout: jobTimeout,
        console: console, board: board, ledger: ledger)
      let report = JobReport(console: console, board: board, ledger: ledger, redis: session.redis)
      let handover = ResultDelivery(
        fetcher: ResultFetcher(bucket: bucket, folder: folder, options: results), report: report,
        expire: expiry.expire)
      try await board.whileShown {
        try await accounting(for: ledger, console, limit: time.limit) {
          try await work(on: files, submitter, report, handover)
        }
      }
    }
  }

  /// Sends, watches and fetches at the same time: the first results are there while the last images
  /// are on their way.
  private func work(
    on files: [InputFile], _ submitter: JobSubmitter, _ report: JobReport,
    _ delivery: ResultDelivery
  ) async throws {
    let watcher = JobWatcher(report.redis, report.board, onChange: report.tellChange)
    let (done, continuation) = AsyncStream.makeStream(of: (JobWatcher.Watched, Job).self)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await submitter.submit(files) { submitted in
          watcher.add(
            .init(key: submitted.key, line: submitted.line, input: submitted.file.path))
          if report.console.isJSON { report.console.result(submitted.jsonLine.text) }
        }
        watcher.complete()
      }
      group.addTask {
        defer { continuation.finish() }
        try await watcher.run { watched, end in
          await report.tellEnd(of: watched, end)
          if case .final(let job) = end, job.status == .done {
            continuation.yield((watched, job))
          } else {
            if case .final(let job) = end { await report.expire(job, after: expiry.expire) }
            report.ledger.close(watched.key, failed: true)
          }
        }
      }
      group.addTask {
        try await forEach(done, atMost: job.jobs) { watched, job in
          try await delivery.deliver(job, line: watched.line, input: watched.input)
        }
      }
      try await group.waitForAll()
    }
  }
}
