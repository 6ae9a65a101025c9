import JobQueue

extension QueueOverview {
  static func table(_ overviews: [QueueOverview]) -> Table {
    var table = Table([
      .init(heading: "QUEUE"), .init(heading: "WAIT", isNumber: true),
      .init(heading: "RUN", isNumber: true), .init(heading: "DELAY", isNumber: true),
      .init(heading: "PARK", isNumber: true), .init(heading: "DEAD", isNumber: true),
      .init(heading: "WORKERS", isNumber: true), .init(heading: "OLDEST", isNumber: true),
      .init(heading: "RATE", isNumber: true), .init(heading: "EMPTY IN", isNumber: true),
      .init(heading: "NOTE", isOptional: true),
    ])
    for overview in overviews { table.add(overview.cells) }
    return table
  }

  private var cells: [String] {
    [
      queue, "\(waiting)", "\(processing)", "\(delayed)", "\(parked)", "\(dead)", "\(workers)",
      oldestAge?.roughText ?? "-", endsPerMinute.map { "\(Self.rounded($0))/min" } ?? "-",
      backlog > 0 ? timeToEmpty?.roughText ?? "-" : "-", notes.joined(separator: ", "),
    ]
  }

  private var notes: [String] {
    var notes: [String] = []
    if isPaused { notes.append("paused") }
    if waiting > 0, workers == 0, processing == 0 { notes.append("no worker") }
    if let concurrencyLimit { notes.append("at most \(concurrencyLimit) at a time") }
    if let rateLimit { notes.append("at most \(Self.rounded(rateLimit))/s") }
    return notes
  }

  private static func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }

  var jsonLine: JSONLine {
    JSONLine(
      "queue",
      [
        "queue": .text(queue), "waiting": .integer(waiting), "processing": .integer(processing),
        "backlog": .integer(backlog), "delayed": .integer(delayed), "parked": .integer(parked),
        "dead": .integer(dead), "workers": .integer(workers), "paused": .flag(isPaused),
        "oldest_seconds": .number(oldestAge?.seconds), "done_per_minute": .number(endsPerMinute),
        "eta_seconds": .number(timeToEmpty?.seconds),
        "concurrency_limit": .integer(concurrencyLimit), "rate_limit": .number(rateLimit),
      ])
  }
}
