import Glibc
import JobQueue
import TestSupport

/// How long a job is without a worker when its worker goes.
enum Recovery {
  static func measure(_ stage: Stage) async throws {
    try await anotherPod(stage)
    try await samePod(stage)
    try await orderlyStop(stage)
    try await poison(stage)
  }

  /// A pod is gone for good: the lease has to end, 30 s after the last heartbeat.
  private static func anotherPod(_ stage: Stage) async throws {
    // Side by side, since each takes half a minute.
    let times = try await withThrowingTaskGroup(of: Duration.self) { group in
      for index in 0..<3 {
        group.addTask {
          let queue = "gone-\(index)"
          let first = try await stage.pod("\(queue)-a", queue: queue)
          let job = try await stage.submit(to: queue)
          let owner = try await stage.runs(job)
          let second = try await stage.pod("\(queue)-b", queue: queue)
          await first.send(SIGKILL)
          let start = ContinuousClock.now
          try await stage.runs(job, notBy: owner)
          let time = start.duration(to: .now)
          try await second.stop(grace: .zero)
          return time
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    report("kill -9, pod gone -> another runs the job", times, goal: "<= 40 s (lease 30 s)")
  }

  /// A container is killed and started again under its name.
  private static func samePod(_ stage: Stage) async throws {
    var times: [Duration] = []
    for index in 0..<5 {
      let queue = "again-\(index)"
      let first = try await stage.pod(queue, queue: queue)
      let job = try await stage.submit(to: queue)
      let owner = try await stage.runs(job)
      await first.send(SIGKILL)
      try await first.waitForExit()
      let start = ContinuousClock.now
      let second = try await stage.pod(queue, queue: queue)
      try await stage.runs(job, notBy: owner)
      times.append(start.duration(to: .now))
      try await second.stop(grace: .zero)
    }
    report("kill -9, same pod started again -> it runs the job", times, goal: "<= 2 s")
  }

  /// The end of the grace period, which a second signal brings about at once.
  private static func orderlyStop(_ stage: Stage) async throws {
    var back: [Duration] = []
    var taken: [Duration] = []
    for index in 0..<5 {
      let queue = "term-\(index)"
      let first = try await stage.pod("\(queue)-a", queue: queue)
      let job = try await stage.submit(to: queue)
      let owner = try await stage.runs(job)
      let second = index % 2 == 0 ? nil : try await stage.pod("\(queue)-b", queue: queue)
      await first.send(SIGTERM)
      try await first.wait(forOutput: "draining")
      await first.send(SIGTERM)
      let start = ContinuousClock.now
      if let second {
        try await stage.runs(job, notBy: owner)
        taken.append(start.duration(to: .now))
        try await second.stop(grace: .zero)
      } else {
        try await reaches("the job is back") {
          try await stage.redis.command("LLEN", queue) == 1
        }
        back.append(start.duration(to: .now))
      }
      try await first.waitForExit()
    }
    report("SIGTERM, grace period over -> the job is back in its queue", back, goal: "<= 0.1 s")
    report("SIGTERM, grace period over -> another pod runs the job", taken, goal: "<= 0.1 s")
  }

  /// A job that takes its process with it each time.
  private static func poison(_ stage: Stage) async throws {
    let job = try await stage.submit(to: "poison")
    var owners: [String] = []
    while owners.count < 10 {
      let pod = try await stage.pod("poison", queue: "poison")
      let last = owners.last
      try await reaches("the job runs again or has ended") {
        if try await stage.field("status", of: job) == "failed" { return true }
        let owner = try await stage.owner(of: job)
        return owner != nil && owner != last
      }
      let owner = try await stage.owner(of: job)
      await pod.send(SIGKILL)
      try await pod.waitForExit()
      guard let owner else { break }
      owners.append(owner)
    }
    let code = try await stage.field("error_code", of: job) ?? "nothing"
    row("a job that kills its worker each time: executions, then", "\(owners.count), \(code)", "3")
  }

  private static func report(_ what: String, _ times: [Duration], goal: String) {
    guard let longest = times.max() else { return }
    row(what, "\(longest.text) (longest of \(times.count))", goal)
  }
}
