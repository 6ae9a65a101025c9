import ArgumentParser
import JobQueue

struct WorkersCommand: KioskCommand {
  static let configuration = CommandConfiguration(
    commandName: "workers",
    abstract: "Show workers, what they do and when they were last heard of.",
    discussion: """
      Those that were lost within the last hour are shown as silent. Consumers of other makes say \
      nothing of themselves and are not shown.

      Example: kiosk workers segmentation
      """)

  @Argument(help: ArgumentHelp("Queues; without any, all that are found.", valueName: "queue"))
  var queues: [QueueName] = []
  @OptionGroup(title: "Connection") var connection: RedisOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func run(_ console: Console) async throws {
    try await Session.run(connection) { session in
      let names =
        queues.isEmpty
        ? try await QueueDirectory.read(session.redis).queues : queues.map(\.name).uniqued()
      var cards: [WorkerCard] = []
      for name in names { cards += try await WorkerCard.read(name, session.redis) }
      if console.isJSON {
        for card in cards { console.result(card.jsonLine.text) }
      } else if cards.isEmpty {
        console.note("there are no workers")
      } else {
        console.table(WorkerCard.table(cards))
      }
    }
  }
}
