import ArgumentParser
import JobQueue
import RedisClient

struct QueuesCommand: KioskCommand {
  static let configuration = CommandConfiguration(
    commandName: "queues", abstract: "Show how queues stand.",
    discussion: """
      The rate is that of the last ten minutes, jobs that failed included; "-" where nothing is known. \
      Workers are those of this service; jobs in the hands of others are counted as running.

      Example: kiosk queues --watch
      """)

  @Argument(help: ArgumentHelp("Queues; without any, all that are found.", valueName: "queue"))
  var queues: [QueueName] = []
  @Flag(help: "Show them again every two seconds, until interrupted.")
  var watch = false
  @OptionGroup(title: "Connection") var connection: RedisOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  private static let interval: Duration = .seconds(2)
  /// Redis may be away this long while it is watched.
  private static let outageLimit: Duration = .seconds(60)

  func run(_ console: Console) async throws {
    try await Session.run(connection) { session in
      if watch { return try await follow(session.redis, console) }
      show(try await read(session.redis, console), console)
    }
  }

  private func read(_ redis: RedisClient, _ console: Console) async throws -> [QueueOverview] {
    let directory = try await QueueDirectory.read(redis)
    if directory.isCut { console.note("note: there are too many keys to find all queues") }
    let names = queues.isEmpty ? directory.queues : queues.map(\.name).uniqued()
    return try await QueueOverview.read(names, directory, redis)
  }

  private func show(_ overviews: [QueueOverview], _ console: Console) {
    if console.isJSON {
      for overview in overviews { console.result(overview.jsonLine.text) }
    } else if overviews.isEmpty {
      console.note("there are no queues yet")
    } else {
      console.table(QueueOverview.table(overviews))
    }
  }

  private func follow(_ redis: RedisClient, _ console: Console) async throws {
    let isLive = console.style.isTerminal && !console.isJSON
    defer { if isLive { console.endLive() } }
    var outage: ContinuousClock.Instant?
    while true {
      do {
        let overviews = try await read(redis, console)
        outage = nil
        if isLive {
          let (columns, rows) = Console.size
          // A full line would make some terminals wrap.
          let text = QueueOverview.table(overviews).text(
            width: columns - 1, ellipsis: console.style.ellipsis)
          console.setLive(text.split(separator: "\n").prefix(max(1, rows - 1)).map(String.init))
        } else {
          show(overviews, console)
        }
      } catch let error as RedisError where error.isRetryable {
        let now = ContinuousClock.now
        if outage == nil { outage = now }
        if let outage, outage.duration(to: now) > Self.outageLimit { throw error }
      }
      try await Task.sleep(for: Self.interval)
    }
  }
}
