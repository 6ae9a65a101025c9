import JobQueue

extension WorkerCard {
  /// A line for each job in hand, and one for a worker without.
  static func table(_ cards: [WorkerCard]) -> Table {
    var table = Table([
      .init(heading: "WORKER"), .init(heading: "QUEUE"), .init(heading: "TYPE", isOptional: true),
      .init(heading: "STATE"), .init(heading: "BEAT", isNumber: true),
      .init(heading: "VERSION", isOptional: true), .init(heading: "JOB", isOptional: true),
      .init(heading: "STAGE", isOptional: true),
      .init(heading: "%", isNumber: true, isOptional: true),
    ])
    for card in cards {
      var own = [
        card.name, card.queue, card.fields["consumer_type"] ?? "", card.state,
        card.silence.roughText, card.fields["version"] ?? "",
      ]
      for job in card.jobs.isEmpty ? [nil] : card.jobs.map(Optional.some) {
        table.add(
          own + [job?.key ?? "", job?.stage ?? "", job?.job.percent.map(String.init) ?? ""])
        own = own.map { _ in "" }
      }
    }
    return table
  }

  private var state: String { isSilent ? "silent" : fields["state"] ?? "running" }

  var jsonLine: JSONLine {
    let jobs = jobs.map { job in
      var values: [String: JSONLine.Value] = ["job": .text(job.key), "stage": .text(job.stage)]
      values["progress"] = job.job.percent.map { .integer($0) }
      return JSONLine.Value.object(values)
    }
    return JSONLine(
      "worker",
      [
        "worker": .text(name), "queue": .text(queue), "type": .text(fields["consumer_type"]),
        "state": .text(state), "beat_age_seconds": .number(silence.seconds),
        "started": .text(fields["started"]), "version": .text(fields["version"]),
        "slots": .integer(fields["slots"].flatMap(Int.init)), "jobs": .list(jobs),
      ])
  }
}

extension ListedJob {
  fileprivate var stage: String { isExpired ? "expired" : job.status.rawValue }
}
