import JobQueue
import TestSupport

/// How long it takes from asking for a job's end to its final status in the hash.
enum Cancelling {
  static func measure(_ stage: Stage) async throws {
    let pod = try await stage.pod("pod")
    try await waitingForModel(stage)
    try await atAnyMoment(stage)
    try await waitingInQueue(stage)
    try await pod.stop(grace: .zero)
  }

  private static func cancel(_ job: String, _ stage: Stage) async throws -> Duration? {
    let start = ContinuousClock.now
    _ = try await stage.operatorQueue().cancel(job)
    try await reaches("the job has ended") {
      ["done", "failed"].contains(try await stage.field("status", of: job))
    }
    let time = start.duration(to: .now)
    return try await stage.field("canceled", of: job) == "1" ? time : nil
  }

  private static func waitingForModel(_ stage: Stage) async throws {
    var times: [Duration] = []
    for _ in 0..<5 {
      let job = try await stage.submit()
      try await stage.runs(job)
      // Until the call is under way.
      try await Task.sleep(for: .milliseconds(500))
      if let time = try await cancel(job, stage) { times.append(time) }
    }
    report("cancel -> stopped, while the model is waited for", times)
  }

  /// Through download, decoding, tiles, post-processing, encoding and upload: at 40 moments of the
  /// time that such a job takes.
  private static func atAnyMoment(_ stage: Stage) async throws {
    await stage.model.hold(false)
    let first = try await stage.submit()
    try await stage.runs(first)
    let start = ContinuousClock.now
    try await reaches("a job has ended") { try await stage.field("status", of: first) == "done" }
    let whole = start.duration(to: .now)
    var times: [Duration] = []
    for index in 0..<40 {
      let job = try await stage.submit()
      try await stage.runs(job)
      try await Task.sleep(for: whole * index / 40)
      if let time = try await cancel(job, stage) { times.append(time) }
    }
    await stage.model.hold(true)
    report("cancel -> stopped, at moments spread over a job of \(whole.text)", times)
  }

  private static func waitingInQueue(_ stage: Stage) async throws {
    let running = try await stage.submit()
    try await stage.runs(running)
    var times: [Duration] = []
    for _ in 0..<5 {
      if let time = try await cancel(try await stage.submit(), stage) { times.append(time) }
    }
    report("cancel -> ended, of a job in the queue", times)
  }

  private static func report(_ what: String, _ times: [Duration]) {
    let longest = times.max()
    row(what, "\(longest?.text ?? "never") (longest of \(times.count))", "<= 1 s")
  }
}
