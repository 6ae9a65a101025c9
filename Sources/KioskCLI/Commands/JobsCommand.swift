import ArgumentParser
import JobQueue

struct JobsCommand: KioskCommand {
  static let configuration = CommandConfiguration(
    commandName: "jobs", abstract: "List the jobs of a queue.",
    discussion: """
      Without --state: those that have not ended, the next one first. Of each state the first 10000 \
      are looked at. States: waiting, processing, delayed, parked (waits for the files of an archive), \
      done and canceled (lately), failed (dead letters).

      Example: kiosk jobs segmentation --state failed --match timeout
      """)

  @Argument(help: ArgumentHelp("Name of the queue.", valueName: "queue")) var queue: QueueName
  @Option(
    help: ArgumentHelp("Only jobs in this state.", valueName: "state"),
    completion: .list(ListedJob.State.allCases.map(\.rawValue)))
  var state: String?
  @OptionGroup var filter: JobFilter
  @OptionGroup(title: "Connection") var connection: RedisOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws {
    if let state, ListedJob.State(rawValue: state) == nil {
      let names = ListedJob.State.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--state is one of \(names)")
    }
  }

  func run(_ console: Console) async throws {
    let states = state.flatMap { ListedJob.State(rawValue: $0) }.map { [$0] }
    try await Session.run(connection) { session in
      let directory = try await QueueDirectory.read(session.redis)
      let listing = JobListing(queue.name, directory, session.redis)
      var jobs: [ListedJob] = []
      for state in states ?? ListedJob.State.live {
        // One more than is shown tells whether there are more.
        jobs += try await listing.jobs(
          state, matching: filter.match, limit: filter.limit + 1 - jobs.count)
        if jobs.count > filter.limit { break }
      }
      try await filter.show(jobs, of: queue.name, session, console)
    }
  }
}

/// Which jobs are listed.
struct JobFilter: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Only jobs with this text in key, file name or error, in letters of either case.",
      valueName: "text"))
  var match: String?

  @Option(help: ArgumentHelp("Jobs shown at most.", valueName: "n"))
  var limit = 50

  func validate() throws {
    guard (1...10_000).contains(limit) else {
      throw ValidationError("--limit is between 1 and 10000")
    }
    if match?.isEmpty == true { throw ValidationError("--match is a text") }
  }

  /// - Parameter jobs: one more than the limit if there are more.
  func show(
    _ jobs: [ListedJob], of queue: String, _ session: Session, _ console: Console
  ) async throws {
    let shown = Array(jobs.prefix(limit))
    if console.isJSON {
      for job in shown { console.result(job.jsonLine(queue: queue).text) }
    } else if shown.isEmpty {
      console.note("there are no such jobs in queue \(queue.printable)")
    } else {
      console.table(ListedJob.table(shown, now: try await session.redis.serverTime()))
    }
    if jobs.count > limit { console.note("note: there are more; --limit shows them") }
  }
}
