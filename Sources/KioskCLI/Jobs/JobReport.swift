import JobQueue
import RedisClient

/// Tells what becomes of jobs.
struct JobReport: Sendable {
  let console: Console
  let board: ProgressBoard
  let ledger: JobLedger
  let redis: RedisClient

  static let noSuchJob =
    "there is no such job: the key is wrong, or its record has expired or was removed"

  /// A line of progress for a job that is there already; its time counts from its creation.
  func addLine(for job: Job, _ stage: JobProgress.Stage) -> ProgressBoard.ID {
    var start = ContinuousClock.now
    if let created = job[Field.createdAt].flatMap({ Timestamp($0) }) {
      let age = max(0, Timestamp.now.microseconds - created.microseconds)
      start = start - .microseconds(age)
    }
    return board.add(job[Field.originalName] ?? job.key, stage, since: start)
  }

  /// A change of status, for programs that read `--json`.
  func tellChange(_ job: Job) {
    guard console.isJSON else { return }
    console.result(
      JSONLine(
        "status",
        [
          "job": .text(job.key), "file": .text(job[Field.originalName]),
          "status": .text(job.status.rawValue), "progress": .integer(job.percent),
        ]
      ).text)
  }

  /// Says why a job failed or cannot be followed; nothing for a job that is done without failures.
  func tellEnd(of watched: JobWatcher.Watched, _ end: JobWatcher.End) async {
    switch end {
    case .gone:
      board.update(watched.line, JobProgress(stage: .failed))
      tellError(
        of: watched.key, name: watched.key,
        Self.noSuchJob)
    case .final(let job) where job.status == .failed:
      board.update(watched.line, job.progress())
      tellFailure(of: job)
    case .final(let job):
      await tellChildren(of: job)
    }
  }

  /// The last line of the reason, and all of it with `--verbose`.
  func tellFailure(of job: Job) {
    tellError(of: job.key, name: job.originalName, job.lastReasonLine)
    if let reason = job[Field.reason], console.isVerbose {
      for line in reason.split(whereSeparator: \.isNewline) {
        console.note("  " + String(line).printable)
      }
    }
  }

  func tellError(of key: String, name: String, _ reason: String) {
    Self.tellError(of: key, name: name, reason, console)
  }

  static func tellError(of key: String, name: String, _ reason: String, _ console: Console) {
    console.error("\(name.printable): \(reason)")
    if console.isJSON {
      console.result(JSONLine("error", ["job": .text(key), "error": .text(reason)]).text)
    }
  }

  /// A line for each failed file of a zip archive.
  func tellChildren(of job: Job) async {
    for (child, reason) in job.failures {
      let name = try? await redis.command("HGET", child, Field.originalName).string
      let last = Job(key: child, fields: [Field.reason: reason]).lastReasonLine
      tellError(of: child, name: name ?? child, last)
    }
  }

  /// Lets a finished job's record end; a failure costs the service memory and this user nothing.
  func expire(_ job: Job, after seconds: Int) async {
    do { try await JobExpiry.set(job.key, seconds: seconds, redis) } catch {
      if console.isVerbose { console.note("could not set the expiry of \(job.key): \(error)") }
    }
  }
}

extension JobWatcher.End {
  /// A zip job is done whatever became of its files.
  var isFailure: Bool {
    switch self {
    case .gone: true
    case .final(let job): job.status == .failed || !job.failures.isEmpty
    }
  }
}
