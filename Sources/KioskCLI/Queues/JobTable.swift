import JobQueue

extension ListedJob {
  /// - Parameter now: milliseconds since 1970 by the server's clock.
  static func table(_ jobs: [ListedJob], now: Int) -> Table {
    var table = Table([
      .init(heading: "JOB"), .init(heading: "STATE"), .init(heading: "STATUS"),
      .init(heading: "%", isNumber: true, isOptional: true), .init(heading: "AGE", isNumber: true),
      .init(heading: "WORKER", isOptional: true), .init(heading: "ERROR", isOptional: true),
    ])
    for job in jobs { table.add(job.cells(now: now)) }
    return table
  }

  private func cells(now: Int) -> [String] {
    [
      key, state.rawValue, isExpired ? "expired" : job.status.rawValue,
      job.percent.map(String.init) ?? "", age(now: now), worker ?? "", error ?? "",
    ]
  }

  /// Since the end of a job that has ended, until a delayed one is due, since the others were made.
  private func age(now: Int) -> String {
    switch state {
    case .delayed:
      guard let time else { return "-" }
      return time <= now ? "due" : "in " + Duration.milliseconds(time - now + 500).roughText
    case .done, .failed, .canceled:
      return time.map { Duration.milliseconds(max(0, now - $0)).roughText } ?? "-"
    case .waiting, .processing, .parked:
      guard let created = job[Field.createdAt].flatMap({ Timestamp($0) }) else { return "-" }
      return Duration.milliseconds(max(0, now - created.microseconds / 1000)).roughText
    }
  }

  /// Why it failed, or what keeps it.
  private var error: String? {
    switch state {
    case .failed, .canceled: isExpired ? nil : job.lastReasonLine
    default: job[Field.lastError]
    }
  }

  func jsonLine(queue: String) -> JSONLine {
    let instant = time.map { Timestamp(microseconds: $0 * 1000).description }
    let timeName =
      switch state {
      case .waiting: "time"
      case .processing: "lease_ends_at"
      case .delayed: "due_at"
      case .parked: "parked_at"
      case .done, .failed, .canceled: "ended_at"
      }
    return JSONLine(
      "job",
      [
        "job": .text(key), "queue": .text(queue), "state": .text(state.rawValue),
        "status": .text(job[Field.status]), "expired": .flag(isExpired),
        "progress": .integer(job.percent), "file": .text(job[Field.originalName]),
        "position": .integer(position), "worker": .text(worker),
        "created_at": .text(job[Field.createdAt]), "updated_at": .text(job[Field.updatedAt]),
        "error": .text(error), "error_code": .text(job[Field.errorCode]), timeName: .text(instant),
      ])
  }
}
