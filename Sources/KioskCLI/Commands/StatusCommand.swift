import ArgumentParser
import JobQueue

struct StatusCommand: KioskCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show how jobs stand.",
    discussion: "Example: kiosk status -v $(cat jobs.txt)")

  @Argument(help: ArgumentHelp("Keys of jobs.", valueName: "job")) var jobs: [String]
  @OptionGroup(title: "Connection") var connection: ConnectionOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func run(_ console: Console) async throws {
    try await Session.run(connection) { session in
      var hasFailures = false
      for (index, key) in jobs.uniqued().enumerated() {
        let job = try await Job.read(key, session.redis)
        guard job.fields[Field.status] != nil else {
          hasFailures = true
          JobReport.tellError(of: key, name: key, JobReport.noSuchJob, console)
          continue
        }
        if job.status == .failed || !job.failures.isEmpty { hasFailures = true }
        let position =
          job.status == .new ? try await QueuePosition.find([key], session.redis)[key] : nil
        let table = StatusTable(job: job, position: position, isVerbose: output.verbose)
        if console.isJSON {
          console.result(table.jsonLine.text)
        } else {
          console.result((index > 0 ? "\n" : "") + table.text)
        }
      }
      if hasFailures { throw KioskError(.jobFailed) }
    }
  }
}
