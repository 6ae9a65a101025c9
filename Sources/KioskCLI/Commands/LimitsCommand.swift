import ArgumentParser
import JobQueue

struct LimitsCommand: KioskCommand {
  static let configuration = CommandConfiguration(
    commandName: "limits", abstract: "Show or set what a queue allows.",
    discussion: """
      Workers follow at once; jobs in work go on. What is not named stays as it is; "none" takes a \
      limit away.

      Examples:
        kiosk limits segmentation --concurrency 4
        kiosk limits segmentation --rate 0.5 --burst 10 --retry 5:10,60
        kiosk limits segmentation --rate none
      """)

  @Argument(help: ArgumentHelp("Name of the queue.", valueName: "queue")) var queue: QueueName
  @Option(help: ArgumentHelp("Jobs in work at a time, in all workers.", valueName: "n"))
  var concurrency: Limit<Int>?
  @Option(help: ArgumentHelp("Jobs that may begin per second.", valueName: "n"))
  var rate: Limit<Double>?
  @Option(help: ArgumentHelp("Jobs that may begin at once under a rate.", valueName: "n"))
  var burst: Int?
  @Option(
    help: ArgumentHelp(
      "How often jobs that do not say so are tried, and the pauses between, in seconds.",
      valueName: "n:s,s,…"))
  var retry: Limit<RetryArgument>?
  @OptionGroup(title: "Connection") var connection: RedisOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws {
    if case .value(let number)? = concurrency, !(1...100_000).contains(number) {
      throw ValidationError("--concurrency is between 1 and 100000; to stop a queue: kiosk pause")
    }
    if case .value(let number)? = rate, !(1e-6...1e6).contains(number) {
      throw ValidationError("--rate is between 0.000001 and 1000000 jobs per second")
    }
    if let burst, !(1...100_000).contains(burst) {
      throw ValidationError("--burst is between 1 and 100000")
    }
  }

  func run(_ console: Console) async throws {
    try await Session.run(connection) { session in
      let queue = session.queue(queue.name)
      var limits = try await queue.limits()
      let before = limits
      if let concurrency { limits.concurrency = concurrency.value }
      if let rate { limits.rate = rate.value }
      if let burst { limits.burst = burst }
      if let retry { limits.retries = retry.value?.schedule }
      if burst != nil, limits.rate == nil {
        throw KioskError(.usage, "--burst goes with a rate, and the queue has none")
      }
      if limits != before { try await queue.setLimits(limits) }
      console.result(console.isJSON ? jsonLine(limits).text : text(limits))
    }
  }

  private func text(_ limits: QueueLimits) -> String {
    let concurrency = limits.concurrency.map { "at most \($0) jobs at a time" }
    let rate = limits.rate.map { "at most \($0) jobs per second, \(limits.burst) at once" }
    let retries = limits.retries.map { "tries \(RetryArgument.text($0))" }
    let all = [concurrency, rate, retries].compactMap { $0 }
    return "\(queue.name.printable): " + (all.isEmpty ? "no limits" : all.joined(separator: "; "))
  }

  private func jsonLine(_ limits: QueueLimits) -> JSONLine {
    JSONLine(
      "limits",
      [
        "queue": .text(queue.name), "concurrency": .integer(limits.concurrency),
        "rate": .number(limits.rate), "burst": .integer(limits.rate == nil ? nil : limits.burst),
        "retry": .text(limits.retries.map(RetryArgument.text)),
      ])
  }
}

/// A limit as people write it: a value, or `none`.
enum Limit<Value: ExpressibleByArgument & Sendable>: ExpressibleByArgument, Sendable {
  case value(Value)
  case none

  init?(argument: String) {
    if argument.lowercased() == "none" {
      self = .none
    } else if let value = Value(argument: argument) {
      self = .value(value)
    } else {
      return nil
    }
  }

  var value: Value? {
    switch self {
    case .value(let value): value
    case .none: nil
    }
  }
}
