import ArgumentParser
import JobQueue

struct PauseCommand: KioskCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Let no job of a queue begin; those in work go on.",
    discussion: "Example: kiosk pause segmentation")

  @Argument(help: ArgumentHelp("Names of queues.", valueName: "queue")) var queues: [QueueName]
  @OptionGroup(title: "Connection") var connection: RedisOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func run(_ console: Console) async throws {
    try await PauseSwitch.set(queues, isPaused: true, connection, console)
  }
}

struct ResumeCommand: KioskCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Let jobs of a paused queue begin again.",
    discussion: "Example: kiosk resume segmentation")

  @Argument(help: ArgumentHelp("Names of queues.", valueName: "queue")) var queues: [QueueName]
  @OptionGroup(title: "Connection") var connection: RedisOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func run(_ console: Console) async throws {
    try await PauseSwitch.set(queues, isPaused: false, connection, console)
  }
}

private enum PauseSwitch {
  static func set(
    _ queues: [QueueName], isPaused: Bool, _ connection: RedisOptions, _ console: Console
  ) async throws {
    let word = isPaused ? "paused" : "resumed"
    try await Session.run(connection) { session in
      let known = Set(try await QueueDirectory.read(session.redis).queues)
      for name in queues.map(\.name).uniqued() {
        let queue = session.queue(name)
        if isPaused { try await queue.pause() } else { try await queue.resume() }
        console.result(
          console.isJSON
            ? JSONLine(word, ["queue": .text(name)]).text : "\(name.printable) \(word)")
        if !known.contains(name) {
          console.note("note: nothing else is known of a queue \(name.printable)")
        }
      }
    }
  }
}
