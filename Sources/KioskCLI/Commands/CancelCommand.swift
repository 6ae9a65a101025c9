import ArgumentParser
import JobQueue

struct CancelCommand: KioskCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel", abstract: "End jobs that wait or run.",
    discussion: """
      A job that waits ends at once, one that runs as soon as its worker has heard of it. Those of an \
      archive end with it.

      Example: kiosk cancel $(cat jobs.txt)
      """)

  @Argument(help: ArgumentHelp("Keys of jobs.", valueName: "job")) var jobs: [String]
  @Option(
    help: ArgumentHelp("The queue of the jobs, if it cannot be found out.", valueName: "queue"))
  var queue: QueueName?
  @OptionGroup(title: "Connection") var connection: RedisOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func run(_ console: Console) async throws {
    try await Session.run(connection) { session in
      let changes = JobChanges(name: "cancel", session: session, console: console)
      try await changes.run(jobs.uniqued(), queue: queue?.name) { job, queue in
        JobChanges.Outcome(try await queue.cancel(job))
      }
    }
  }
}
