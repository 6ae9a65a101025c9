import ArgumentParser
import JobQueue

/// How often a job is tried, and at what distance: `3`, or `3:10,30,60` with the pauses in seconds.
struct RetryArgument: ExpressibleByArgument, Sendable {
  let schedule: RetrySchedule

  init?(argument: String) {
    let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count <= 2, let attempts = Int(parts[0]), (1...1000).contains(attempts) else {
      return nil
    }
    var intervals: [Duration] = []
    if parts.count == 2 {
      for text in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
        guard let span = TimeSpan(argument: String(text)), intervals.count < 100 else {
          return nil
        }
        intervals.append(span.duration)
      }
    }
    schedule = RetrySchedule(maximumAttempts: attempts, intervals: intervals)
  }

  /// A schedule as it is written.
  static func text(_ schedule: RetrySchedule) -> String {
    let pauses = schedule.intervals.map { JSONLine.Value.number($0.seconds).plainText }
    return "\(schedule.maximumAttempts)"
      + (pauses.isEmpty ? "" : ":" + pauses.joined(separator: ","))
  }
}
