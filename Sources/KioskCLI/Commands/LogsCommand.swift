import ArgumentParser
import JobQueue
import RedisClient

struct LogsCommand: KioskCommand {
  static let configuration = CommandConfiguration(
    commandName: "logs", abstract: "Show what happened to a job, and what its consumer wrote.",
    discussion: """
      A queue keeps its last 10000 events, a job its last 1000 lines, some days.

      Example: kiosk logs --follow segmentation:cells.tif:0f3a
      """)

  @Argument(help: ArgumentHelp("Key of a job.", valueName: "job")) var job: String
  @Flag(name: .shortAndLong, help: "Go on until the job has ended.")
  var follow = false
  @Option(
    help: ArgumentHelp("The queue of the job, if it cannot be found out.", valueName: "queue"))
  var queue: QueueName?
  @OptionGroup(title: "Connection") var connection: RedisOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  private static let interval: Duration = .milliseconds(500)

  func run(_ console: Console) async throws {
    try await Session.run(connection) { session in
      let redis = session.redis
      var name = queue?.name
      if name == nil {
        name = try await JobLocator(try await QueueDirectory.read(redis), redis).queue(of: job)
      }
      var history = JobHistory(of: job, queue: name, redis)
      var isKnown = false
      while true {
        // Asked first: what comes with the end is in the history by then.
        let status = try await Job.read(job, redis).fields[Field.status]
        let entries = try await history.next()
        for entry in entries { show(entry, console) }
        isKnown = isKnown || status != nil || !entries.isEmpty
        guard isKnown else { throw KioskError(.jobFailed, JobReport.noSuchJob) }
        let isOver = status.map { JobStatus(rawValue: $0).isFinal } ?? true
        guard follow, !isOver else { return }
        try await Task.sleep(for: Self.interval)
      }
    }
  }

  private func show(_ entry: JobHistory.Entry, _ console: Console) {
    let time = Timestamp(microseconds: entry.time * 1000).producerDescription
    var values: [String: JSONLine.Value?] = ["job": .text(job), "at": .text(time)]
    var text = time + "  "
    switch entry.what {
    case .line(let line):
      values["line"] = .text(line)
      text += line.printable
    case .event(let event):
      values["what"] = .text(event.name)
      values["worker"] = .text(event.worker)
      values.merge(event.details.mapValues { .text($0) }) { own, _ in own }
      let details = event.details.sorted { $0.key < $1.key }.map { " \($0)=\($1)" }.joined()
      text += "[\(event.name)\(details)]".printable
      if let worker = event.worker { text += " " + worker.printable }
    }
    console.result(console.isJSON ? JSONLine("log", values).text : text)
  }
}
