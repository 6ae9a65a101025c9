import ArgumentParser
import Callbacks
import JobQueue

struct DeadCommand: KioskCommand {
  static let configuration = CommandConfiguration(
    commandName: "dead",
    abstract: "List jobs that failed for good, or callbacks that were given up.",
    discussion: """
      Jobs run again with: kiosk requeue --dead QUEUE. To forget them takes them off this list; their \
      records stay until they expire. Callbacks are sent again with: kiosk requeue --callbacks.

      Examples:
        kiosk dead segmentation --purge --older-than 7d
        kiosk dead --callbacks --match hooks.lab
      """)

  @Argument(
    help: ArgumentHelp(
      "Name of the queue; with --callbacks it may be left out.", valueName: "queue"))
  var queue: QueueName?
  @Flag(help: "List callbacks that were given up, in place of jobs.")
  var callbacks = false
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
    guard callbacks || queue != nil else { throw ValidationError("name a queue") }
    if callbacks, purge { throw ValidationError("callbacks expire by themselves; no --purge") }
    if purge, filter.match != nil { throw ValidationError("--match does not go with --purge") }
  }

  func run(_ console: Console) async throws {
    try await Session.run(connection) { session in
      guard !callbacks, let name = queue?.name else {
        return try await listCallbacks(session, console)
      }
      if let age = olderThan?.duration {
        return try await forget(session.queue(name), console, age)
      }
      let listing = JobListing(name, QueueDirectory(), session.redis)
      let jobs = try await listing.jobs(.failed, matching: filter.match, limit: filter.limit + 1)
      try await filter.show(jobs, of: name, session, console)
    }
  }

  private func listCallbacks(_ session: Session, _ console: Console) async throws {
    let found = try await CallbackOutbox(session.redis).deadLetters(
      of: queue?.name, matching: filter.match, upTo: filter.limit + 1)
    let shown = Array(found.prefix(filter.limit))
    if console.isJSON {
      for callback in shown { console.result(callback.jsonLine.text) }
    } else if shown.isEmpty {
      console.note("no such callbacks were given up")
    } else {
      console.table(DeadCallback.table(shown, now: try await session.redis.serverTime()))
    }
    if found.count > filter.limit { console.note("note: there are more; --limit shows them") }
  }

  private func forget(_ queue: JobQueue, _ console: Console, _ age: Duration) async throws {
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
