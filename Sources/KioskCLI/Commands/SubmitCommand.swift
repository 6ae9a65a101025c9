import ArgumentParser

struct SubmitCommand: KioskCommand {
  static let configuration = CommandConfiguration(
    commandName: "submit", abstract: "Send images and make jobs of them; prints the jobs' keys.",
    discussion: """
      Examples:
        kiosk submit *.tif -t segmentation > jobs.txt
        kiosk submit night.tif -t segmentation --at 2026-11-22T03:00 --retry 3:10,30,60
      """)

  @Argument(
    help: ArgumentHelp("Images, archives of images or, recursively, folders.", valueName: "file"),
    completion: .file())
  var files: [String]
  @OptionGroup(title: "Job") var job: JobOptions
  @OptionGroup(title: "Delivery") var delivery: DeliveryFlags
  @Option(
    name: [.customLong("timeout"), .customLong("job-timeout")],
    help: ArgumentHelp(
      "How long a job may take once it has begun, as 600 or 10m.", valueName: "duration"))
  var timeout: TimeSpan?
  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func run(_ console: Console) async throws {
    let files = try InputFile.collect(files, recursive: job.recursive, console)
    try delivery.check(files)
    if job.dryRun { return DryRun.show(files, job, delivery, timeout: timeout, console) }
    let ledger = JobLedger()
    let board = ProgressBoard(console)
    try await Session.run(connection) { session in
      let submitter = JobSubmitter(
        session: session, bucket: try session.openBucket(), options: job, delivery: delivery,
        timeout: timeout, console: console, board: board, ledger: ledger)
      try await board.whileShown {
        try await submitter.submit(files) { submitted in
          board.update(submitted.line, JobProgress(stage: .queued(position: nil)))
          console.result(console.isJSON ? submitted.jsonLine.text : submitted.key)
        }
      }
    }
    try ledger.conclude()
  }
}
