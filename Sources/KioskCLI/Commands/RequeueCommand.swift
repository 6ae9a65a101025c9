import ArgumentParser
import JobQueue

struct RequeueCommand: KioskCommand {
  static let configuration = CommandConfiguration(
    commandName: "requeue",
    abstract: "Run jobs that have ended again, or send callbacks that were given up.",
    discussion: """
      Examples:
        kiosk requeue segmentation:cells.tif:0f3a
        kiosk requeue --dead segmentation --match predict_unavailable
        kiosk requeue --callbacks --match hooks.lab
      """)

  @Argument(
    help: ArgumentHelp("Keys of jobs; with --callbacks, names of callbacks.", valueName: "job"))
  var jobs: [String] = []
  @Flag(help: "Send callbacks again that were given up: all, or those named.")
  var callbacks = false
  @Option(help: ArgumentHelp("All jobs of this queue that failed for good.", valueName: "queue"))
  var dead: QueueName?
  @Option(
    help: ArgumentHelp(
      "With --dead or --callbacks: only those with this text in key, file name, server or error.",
      valueName: "text"))
  var match: String?
  @Flag(help: "Do not ask.")
  var yes = false
  @Option(
    help: ArgumentHelp("The queue of the jobs, if it cannot be found out.", valueName: "queue"))
  var queue: QueueName?
  @OptionGroup(title: "Connection") var connection: RedisOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws {
    if callbacks {
      guard dead == nil, queue == nil else {
        throw ValidationError("--callbacks goes with neither --dead nor --queue")
      }
      if match != nil, !jobs.isEmpty { throw ValidationError("name callbacks, or give --match") }
    } else {
      guard jobs.isEmpty != (dead == nil) else {
        throw ValidationError("name jobs, or a queue with --dead, or give --callbacks")
      }
      if dead == nil, match != nil { throw ValidationError("--match goes with --dead") }
    }
    if dead != nil, queue != nil { throw ValidationError("--dead names the queue already") }
    if match?.isEmpty == true { throw ValidationError("--match is a text") }
  }

  func run(_ console: Console) async throws {
    try await Session.run(connection) { session in
      if callbacks {
        let changes = CallbackChanges(session: session, console: console)
        return jobs.isEmpty
          ? try await changes.requeueAll(matching: match, isGiven: yes)
          : try await changes.requeue(jobs.uniqued())
      }
      let changes = JobChanges(name: "requeue", session: session, console: console)
      guard let dead = dead?.name else {
        return try await changes.run(jobs.uniqued(), queue: queue?.name) { job, queue in
          JobChanges.Outcome(try await queue.requeue(job))
        }
      }
      let listing = JobListing(dead, QueueDirectory(), session.redis)
      let all = try await listing.jobs(.failed, matching: match, limit: JobListing.depth)
      let found = all.filter { !$0.isExpired }
      if found.count < all.count {
        console.note("note: \(all.count - found.count) of them have expired and cannot run again")
      }
      guard !found.isEmpty else {
        return console.note("there are no such dead letters in queue \(dead.printable)")
      }
      try await Confirmation.ask(
        "Run \(found.count) jobs of \(dead.printable) again", isGiven: yes, console)
      try await changes.run(found.map(\.key), queue: dead, summary: "requeued") { job, queue in
        JobChanges.Outcome(try await queue.requeue(job))
      }
    }
  }
}
