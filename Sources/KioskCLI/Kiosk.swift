import ArgumentParser
import Dispatch
import FoundationEssentials
import Glibc
import Logging
import ServiceSetup
import Telemetry

/// The command line tool.
@main struct Kiosk: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kiosk",
    abstract: "Sends images to be analysed and brings back the results.",
    discussion: """
      Redis and the bucket are those of the environment variables REDIS_HOST, REDIS_PORT and \
      STORAGE_BUCKET, or of the flags of the same name.

      Example: kiosk run *.tif -t segmentation -o results --overlay --csv

      Exit codes: 0 all jobs done, 1 at least one failed, 2 wrong usage, 3 no connection, \
      4 --timeout reached, 130 interrupted (jobs go on).
      """,
    version: "kiosk \(Version.description)",
    subcommands: [
      RunCommand.self, SubmitCommand.self, StatusCommand.self, WatchCommand.self,
      FetchCommand.self, ModelsCommand.self, SampleCommand.self, CompletionsCommand.self,
    ],
    groupedSubcommands: [
      CommandGroup(
        name: "Operating",
        subcommands: [
          QueuesCommand.self, JobsCommand.self, WorkersCommand.self, RequeueCommand.self,
          CancelCommand.self, DeadCommand.self, PauseCommand.self, ResumeCommand.self,
          DoctorCommand.self,
        ])
    ])

  static func main() async {
    StandardStreams.prepare()
    do {
      var command = try parseAsRoot()
      if let command = command as? any KioskCommand { Glibc.exit(await run(command)) }
      try command.run()
    } catch {
      // Help and version also arrive here.
      let isFine = exitCode(for: error).isSuccess
      Console.write(fullMessage(for: error) + "\n", to: isFine ? STDOUT_FILENO : STDERR_FILENO)
      Glibc.exit(isFine ? 0 : KioskError.Code.usage.rawValue)
    }
  }

  private static func run(_ command: any KioskCommand) async -> Int32 {
    let log = startLogging(isVerbose: command.output.verbose)
    let environment = ProcessEnvironment.variables
    let console = Console(command.output, environment: environment)
    // Not structured: signals cancel it from outside of all tasks.
    let task = Task { try await command.run(console) }
    let signals = cancelOnSignals(task)
    defer {
      for signal in signals { signal.cancel() }
      log?.flush()
    }
    do {
      try await task.value
      return 0
    } catch {
      let error = KioskError(error)
      if !error.description.isEmpty {
        for line in error.description.split(separator: "\n") { console.error(String(line)) }
      }
      return error.code.rawValue
    }
  }

  /// The first signal cancels, a second one ends the process at once.
  private static func cancelOnSignals(_ task: Task<Void, any Error>) -> [any DispatchSourceSignal] {
    [SIGINT, SIGTERM].map { number in
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        signal(number, SIG_DFL)
        task.cancel()
      }
      signal(number, SIG_IGN)
      source.resume()
      return source
    }
  }

  private static func startLogging(isVerbose: Bool) -> LogOutput? {
    guard isVerbose else {
      LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
      return nil
    }
    let output = LogOutput(descriptor: STDERR_FILENO)
    LoggingSystem.bootstrap {
      ServiceLogHandler(name: $0, level: .debug, format: .text, output: output)
    }
    return output
  }
}

/// One command of the tool.
protocol KioskCommand: ParsableCommand, Sendable {
  var output: OutputOptions { get }

  /// - Throws: ``KioskError`` unless all jobs are done.
  func run(_ console: Console) async throws
}
