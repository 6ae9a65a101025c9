import ArgumentParser

struct SubmitCommand: KioskCommand {
  static let configuration = CommandConfiguration(
    commandName: "submit", abstract: "Send images and make jobs of them; prints the jobs' keys.",
    discussion: "Example: kiosk submit *.tif -t segmentation > jobs.txt")

  @Argument(
    help: ArgumentHelp("Images, archives of images or, recursively, folders.", valueName: "file"),
    completion: .file())
  var files: [String]
  @OptionGroup(title: "Job") var job: JobOptions
  @OptionGroup(title: "Waiting") var time: TimeOptions
  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func run(_ console: Console) async throws {
    let files = try InputFile.collect(files, recursive: job.recursive, console)
    if job.dryRun { return DryRun.show(files, job, console) }
    let ledger = JobLedger()
    let board = ProgressBoard(console)
    try await Session.run(connection) { session in
      let submitter = JobSubmitter(
        session: session, bucket: try session.openBucket(), options: job, console: console,
        board: board, ledger: ledger)
      try await board.whileShown {
        try await withLimit(time.limit) {
          try await submitter.submit(files) { submitted in
            board.update(submitted.line, JobProgress(stage: .queued(position: nil)))
            console.result(console.isJSON ? submitted.jsonLine.text : submitted.key)
          }
        }
      }
    }
    try ledger.conclude()
  }
}
