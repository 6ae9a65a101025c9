import ArgumentParser
import FoundationEssentials
import JobQueue

/// When and how jobs are to run.
struct DeliveryFlags: ParsableArguments {
  @Option(
    name: .customLong("in"),
    help: ArgumentHelp("Start after this time, as 90s, 10m, 2h or 7d.", valueName: "duration"))
  var delay: TimeSpan?

  @Option(
    name: .customLong("at"),
    help: ArgumentHelp(
      "Start at this time, as 2026-11-22T03:00, which is local time, or 2026-11-22T03:00:00Z.",
      valueName: "time"))
  var start: PointInTime?

  @Flag(help: "Run before all jobs that wait.")
  var urgent = false

  @Option(
    help: ArgumentHelp(
      "How often to try, and the pauses in seconds, as 3:10,30,60 or 3; instead of the queue's.",
      valueName: "attempts:pauses"))
  var retry: RetryArgument?

  @Option(
    name: .customLong("callback"),
    help: ArgumentHelp(
      "URL to tell of the end of each job; may be given up to 10 times.", valueName: "url"))
  var callbacks: [String] = []

  @Option(
    help: ArgumentHelp(
      "Files that were submitted with the same text within a day make no further jobs.",
      valueName: "text"))
  var idempotencyKey: String?

  @Option(
    help: ArgumentHelp(
      "Replicas of Redis that are to have each job before it counts as safe.", valueName: "n"))
  var waitReplicas: Int?

  @Option(
    help: ArgumentHelp(
      "How long to wait for them, as 0.5s; 0.1s without this. The job is accepted in any case.",
      valueName: "duration"))
  var replicaTimeout: TimeSpan?

  /// How long a text that the user chose names the same submission.
  private static let keyLifetime: Duration = .seconds(86400)

  func validate() throws {
    if delay != nil, start != nil { throw ValidationError("give --in or --at, not both") }
    if urgent, delay != nil || start != nil {
      throw ValidationError("a job with --in or --at is next anyway once it is due; no --urgent")
    }
    if let start {
      let wait = Duration.microseconds(start.timestamp.microseconds - Timestamp.now.microseconds)
      guard wait > .zero else { throw ValidationError("--at is in the past") }
      guard wait.seconds <= TimeSpan.longest else {
        throw ValidationError("--at is more than ten years away")
      }
    }
    guard callbacks.count <= 10 else {
      throw ValidationError("--callback is given 10 times at most")
    }
    for callback in callbacks {
      let url = callback.utf8.count <= 2048 ? URL(string: callback) : nil
      guard ["http", "https"].contains(url?.scheme?.lowercased()), url?.host?.isEmpty == false,
        !callback.unicodeScalars.contains(where: { $0.value <= 0x20 || $0.value == 0x7F })
      else { throw ValidationError("--callback \(callback.printable) is no http or https URL") }
    }
    if let waitReplicas, !(1...100).contains(waitReplicas) {
      throw ValidationError("--wait-replicas is between 1 and 100")
    }
    if let replicaTimeout {
      guard waitReplicas != nil else {
        throw ValidationError("--replica-timeout goes with --wait-replicas")
      }
      guard (0.001...60).contains(replicaTimeout.duration.seconds) else {
        throw ValidationError("--replica-timeout is between 0.001s and 60s")
      }
    }
    if let idempotencyKey {
      guard (1...255).contains(idempotencyKey.utf8.count) else {
        throw ValidationError("--idempotency-key has between 1 and 255 bytes")
      }
    }
  }

  /// The options for one file of a call.
  ///
  /// - Parameters:
  ///   - timeout: how long the job may take.
  ///   - queue: where it goes; the same text for another queue is another submission.
  func options(forFileNamed name: String, queue: String, timeout: TimeSpan?) -> DeliveryOptions {
    var options = DeliveryOptions(
      place, retries: retry?.schedule, timeout: timeout?.duration, callbacks: callbacks,
      fingerprint: idempotencyKey.map { "\(queue):\($0):\(name)" },
      fingerprintLifetime: Self.keyLifetime, replicas: waitReplicas ?? 0)
    if let replicaTimeout { options.replicaLimit = replicaTimeout.duration }
    return options
  }

  /// What is to be said of a job that fewer replicas have than were asked for; nil if all is well.
  func warning(of submission: Submission) -> String? {
    guard let waitReplicas, submission.outcome == .made else { return nil }
    let count = submission.replicaCount ?? 0
    return count >= waitReplicas
      ? nil
      : "job \(submission.key.printable) is accepted, do not submit it again; but \(count) of "
        + "\(waitReplicas) replicas confirmed it in time, and a failover now could lose it"
  }

  private var place: DeliveryOptions.Place {
    if urgent { return .urgent }
    if let delay { return .delayed(delay.duration) }
    guard let start else { return .normal }
    // As late as possible: sending the image took its time.
    let wait = start.timestamp.microseconds - Timestamp.now.microseconds
    return .delayed(.microseconds(max(0, wait)))
  }

  /// - Throws: ``KioskError`` `usage` for files that would take each other for a repetition.
  func check(_ files: [InputFile]) throws(KioskError) {
    guard idempotencyKey != nil else { return }
    var names: Set<String> = []
    for file in files where !names.insert(file.name).inserted {
      throw KioskError(
        .usage,
        "--idempotency-key tells files by their names, and two are called \(file.name.printable)")
    }
  }

  /// What was asked for, by name, for a dry run.
  func described(timeout: TimeSpan?) -> [(name: String, value: JSONLine.Value)] {
    var result: [(String, JSONLine.Value)] = []
    if urgent { result.append(("urgent", .flag(true))) }
    if let delay { result.append(("in", .number(delay.duration.seconds))) }
    if let start { result.append(("at", .text(start.timestamp.description))) }
    if let schedule = retry?.schedule {
      result.append(("attempts", .integer(schedule.maximumAttempts)))
      if !schedule.intervals.isEmpty {
        result.append(("pauses", .list(schedule.intervals.map { .number($0.seconds) })))
      }
    }
    if let timeout { result.append(("timeout", .number(timeout.duration.seconds))) }
    if !callbacks.isEmpty {
      result.append(("callbacks", .list(callbacks.map { .text($0) })))
    }
    if let idempotencyKey { result.append(("idempotency_key", .text(idempotencyKey))) }
    if let waitReplicas { result.append(("wait_replicas", .integer(waitReplicas))) }
    return result
  }
}
