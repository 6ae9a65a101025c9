import ArgumentParser
import JobQueue

struct DeadCommand: KioskCommand {
  static let configuration = CommandConfiguration(
    commandName: "dead", abstract: "List jobs that failed for good, or forget old ones.",
    discussion: """
      They run again with: kiosk requeue --dead QUEUE. To forget them takes them off this list; their \
      records stay until they expire.

      Example: kiosk dead segmentation --purge --older-than 7d
      """)

  @Argument(help: ArgumentHelp("Name of the queue.", valueName: "queue")) var queue: QueueName
  @OptionGroup var filter: JobFilter
  @Flag(help: "Forget those that are older than --older-than.")
  var purge = false
  @Option(help: ArgumentHelp("Age, as 12h or 7d; 0 for any.", valueName: "duration"))
  var olderThan: TimeSpan?
  @Flag(help: "Do not ask.")
  var yes = false
  @OptionGroup(title: "Connection") var connection: RedisOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws {
    guard purge == (olderThan != nil) else {
      throw ValidationError("--purge and --older-than go together")
    }
    if purge, filter.match != nil { throw ValidationError("--match does not go with --purge") }
  }

  func run(_ console: Console) async throws {
    try await Session.run(connection) { session in
      if let age = olderThan?.duration { return try await forget(session, console, age) }
      let listing = JobListing(queue.name, QueueDirectory(), session.redis)
      let jobs = try await listing.jobs(.failed, matching: filter.match, limit: filter.limit + 1)
      try await filter.show(jobs, of: queue.name, session, console)
    }
  }

  private func forget(_ session: Session, _ console: Console, _ age: Duration) async throws {
    let queue = session.queue(queue.name)
    var count = try await queue.deadLetterCount(olderThan: age)
    if count > 0 {
      try await Confirmation.ask(
        "Forget \(count) dead letters of \(queue.name.printable)", isGiven: yes, console)
      count = try await queue.purgeDeadLetters(olderThan: age)
    }
    console.result(
      console.isJSON
        ? JSONLine("purged", ["queue": .text(queue.name), "count": .integer(count)]).text
        : "\(count) dead letters of \(queue.name.printable) forgotten")
  }
}
